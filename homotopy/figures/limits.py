"""Who solves what: the share of seeds that solve the sine task against omega, a line per method."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from homotopy.figures import common, ends
from homotopy.results import intervals
from homotopy.results.library import Place, Result, count, tasks
from homotopy.results.methods import LABELS

METHODS = ("random", "warmstart", "homotopy", "frequency")


def draw(place: Place) -> list[Path]:
    """Draw the shares of the experiments frequency and limits with their exact intervals."""
    (easier, left_out), (harder, also) = (tasks(name, place) for name in ("frequency", "limits"))
    groups = [*easier, *harder]
    figure, (axes,) = common.subplots()
    omegas = np.array([group[0].config.task.omega for group in groups])
    for method, shift in zip(METHODS, (-3.6, -1.2, 1.2, 3.6), strict=True):  # rad, so that intervals stand side by side
        shares = [_share(_of(method, group)) for group in groups]
        value, low, high = np.array([(each.value, each.low, each.high) for each in shares]).T
        bars = np.stack([value - low, high - value])
        look = {"color": common.COLOURS[method], "linestyle": common.DASHES[method], "markersize": 3, "elinewidth": 0.6}
        axes.errorbar(omegas + shift, value, bars, fmt=common.MARKERS[method], label=LABELS[method], **look)
    axes.set(
        xlabel=r"$\omega$ (rad)",
        ylabel=f"share of runs that end\nwith a loss below {ends.solved():g}",
        ylim=(-0.04, 1.04),
    )
    axes.set_xticks(omegas)
    axes.set_title(count([found for group in groups for found in group]))
    common.legend(figure, axes)
    common.caption(figure, "; ".join(dict.fromkeys(filter(None, (left_out, also)))))
    return common.save(figure, place.figures / "limits")


def _of(method: str, group: list[Result]) -> Result:
    return next(found for found in group if found.config.method.name == method)


def _share(found: Result) -> intervals.Interval:
    """Return the share of seeds that solve the task, with its exact binomial interval at 95 %."""
    return intervals.share(found.settled("target_loss") < ends.solved())
