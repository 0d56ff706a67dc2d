"""Who solves what: the share of seeds that solve the sine task against omega, a line per method."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from homotopy.figures import common, ends, looks
from homotopy.results.library import Place, count, tasks
from homotopy.results.methods import LABELS, METHODS
from homotopy.results.solved import table

SHOWN = (*METHODS, "frequency")
_BESIDE = (-3.6, -1.2, 1.2, 3.6)  # rad from an omega, so that the methods' intervals stand side by side


def draw(place: Place) -> list[Path]:
    """Draw the shares of the experiments frequency and limits with their exact intervals."""
    groups, note = tasks("frequency,limits", place)
    results = [each for group in groups for each in group]
    found = table(results, ends.solved())
    figure, (axes,) = common.subplots()
    for method, beside in zip(SHOWN, _BESIDE, strict=True):
        rows = found[found["method"] == method].sort_values("omega")
        bars = np.stack([rows["share"] - rows["low"], rows["high"] - rows["share"]])
        look = {"color": looks.COLOURS[method], "linestyle": looks.DASHES[method], "markersize": 3, "elinewidth": 0.6}
        x = rows["omega"] + beside
        axes.errorbar(x, rows["share"], bars, fmt=looks.MARKERS[method], label=LABELS[method], **look)
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
