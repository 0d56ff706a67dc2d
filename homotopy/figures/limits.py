"""Who solves what: the share of seeds that solve the sine task against omega, a line per method."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from homotopy.errors import ResultError
from homotopy.figures import common, ends, today
from homotopy.results.library import Place, Result, count, tasks
from homotopy.results.methods import LABELS

EXPERIMENTS = ("frequency", "limits")
METHODS = ("random", "warmstart", "homotopy", "frequency")
_BESIDE = (-3.6, -1.2, 1.2, 3.6)  # rad from an omega, so that the methods' intervals stand side by side


def complete(place: Place) -> tuple[list[Result], str]:
    """Return the results of the omegas that have all methods, and a note on the others.

    Raises ResultError if there is none, of either experiment.
    """
    found: list[Result] = []
    lacking, notes = [], []
    for name in EXPERIMENTS:
        try:
            groups, note = tasks(name, place)
        except ResultError as error:
            lacking.append(error)
            notes.append(f"not yet run: experiment {name}")
        else:
            found += [each for group in groups for each in group]
            notes.append(note)
    if not found:
        raise lacking[0]
    return found, "; ".join(filter(None, notes))


def draw(place: Place) -> list[Path]:
    """Draw the shares of the experiments frequency and limits with their exact intervals."""
    results, note = complete(place)
    found = today.table(results, ends.solved())
    figure, (axes,) = common.subplots()
    for method, beside in zip(METHODS, _BESIDE, strict=True):
        rows = found[found["method"] == method].sort_values("omega")
        bars = np.stack([rows["share"] - rows["low"], rows["high"] - rows["share"]])
        look = {"color": common.COLOURS[method], "linestyle": common.DASHES[method], "markersize": 3, "elinewidth": 0.6}
        x = rows["omega"] + beside
        axes.errorbar(x, rows["share"], bars, fmt=common.MARKERS[method], label=LABELS[method], **look)
    axes.set(
        xlabel=r"$\omega$ (rad)",
        ylabel=f"share of runs that end\nwith a loss below {ends.solved():g}",
        ylim=(-0.04, 1.04),
    )
    axes.set_xticks(sorted(found["omega"].unique()))
    axes.set_title(count(results))
    common.legend(figure, axes)
    common.caption(figure, note)
    return common.save(figure, place.figures / "limits")
