"""Figure 7: the source and the target data of the sine study."""

from __future__ import annotations

from pathlib import Path

from homotopy.figures import common, looks
from homotopy.figures.tables import read
from homotopy.results.library import Place


def draw(place: Place) -> list[Path]:
    """Draw the samples of both tasks side by side."""
    rows = read(place, "illustrations/fig7.csv.gz", "fig7")
    figure, axes = common.subplots(columns=2, sharey=True)
    for ax, label, task in zip(axes, "ab", ("source", "target"), strict=True):
        part = rows[rows["task"] == task]
        ax.plot(part["x"], part["y"], ".", color=looks.COLOURS["homotopy"], markersize=1.6, markeredgewidth=0)
        ax.set(title=rf"({label}) {task} task, $\omega = {part['omega'].iloc[0]:g}$ rad", xlabel="x", xlim=(0, 1))
        ax.set_xticks((0, 0.25, 0.5, 0.75, 1), labels=("0", "0.25", "0.5", "0.75", "1"))
    axes[0].set_ylabel("y")
    return common.save(figure, place.figures / "fig7")
