"""Figure 2a: median train loss at the end against omega, a line per method."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from homotopy.figures import common
from homotopy.results.library import Place, Result, count, tasks
from homotopy.results.methods import LABELS, METHODS
from homotopy.results.statistics import band


def draw(place: Place) -> list[Path]:
    """Draw the final loss on the target with its quartiles."""
    groups, note = tasks("fig2a", place)
    found = [each for group in groups for each in group]
    figure, (axes,) = common.subplots()
    for method in METHODS:
        results = [r for r in found if r.config.method.name == method]
        omegas = np.array([r.config.task.omega for r in results])
        band_of = tuple(np.array([_summary(r) for r in results]).T)
        colour = common.COLOURS[method]
        common.line(axes, omegas, band_of, "o-", colour=colour, markersize=3, label=LABELS[method])
    epochs = found[0].config.epochs
    axes.axhline(found[0].config.task.noise ** 2, color="0.4", linewidth=0.8, linestyle="--", label="noise floor")
    axes.set(xlabel=r"$\omega$ (rad)", ylabel=f"train loss after {epochs} epochs\n(median, quartiles)", yscale="log")
    axes.set_title(count(found))
    common.legend(figure, axes)
    common.caption(figure, note)
    return common.save(figure, place.figures / "fig2a")


def _summary(found: Result) -> tuple[float, float, float]:
    median, low, high = band(found.final("target_loss"))
    return float(median), float(low), float(high)
