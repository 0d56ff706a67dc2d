"""Figure 5: the sine task's deformation by Eq. 14 and by its Gaussian-filter approximation, and as an animation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from homotopy.figures import animation, common
from homotopy.figures.files import read
from homotopy.library import Place

TITLES = {
    "linear_targets": "(a) targets mixed at the same x (Eq. 14)",
    "gaussian_filter": "(b) Gaussian filter (Eq. 21, 22)",
}
SHOWN = (0.0, 0.25, 0.5, 0.75, 1.0)


def _at(rows: pd.DataFrame, deformation: str, lam: float) -> pd.DataFrame:
    return rows[(rows["deformation"] == deformation) & np.isclose(rows["lam"], lam)]


def _dress(axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(-1.5, 1.5), yticks=(-1, 0, 1), xticks=(0, 0.25, 0.5, 0.75, 1))
    axes.xaxis.set_major_formatter("{x:g}")


def _samples(axes: Axes, rows: pd.DataFrame, size: float = 1.5) -> list[Line2D]:
    line = axes.plot(rows["x"], rows["y"], "-", color="0.75", linewidth=0.4)
    dots = axes.plot(rows["x"], rows["y"], ".", color=common.COLOURS["homotopy"], markersize=size, markeredgewidth=0)
    return line + dots


def stills(place: Place, rows: pd.DataFrame) -> list[Path]:
    """Draw a row of panels for each of five lam, a column for each deformation."""
    figure, axes = common.subplots(columns=2, rows=len(SHOWN), height=0.9, sharex=True, sharey=True)
    for i, lam in enumerate(SHOWN):
        for ax, name in zip(axes[2 * i : 2 * i + 2], TITLES, strict=True):
            _samples(ax, _at(rows, name, lam))
            _dress(ax)
        axes[2 * i].set_ylabel(rf"$\lambda = {lam:g}$")
    for top, bottom, title in zip(axes[:2], axes[-2:], TITLES.values(), strict=True):
        top.set_title(title)
        bottom.set_xlabel("x")
    return common.save(figure, place.figures / "fig5")


def moving(place: Place, rows: pd.DataFrame) -> list[Path]:
    """Animate lam from 0 to 1 in both panels."""
    figure, axes = common.subplots(columns=2, sharey=True)
    drawn = []
    for ax, (name, title) in zip(axes, TITLES.items(), strict=True):
        drawn += [(name, line) for line in _samples(ax, _at(rows, name, 0.0), size=2.5)]
        _dress(ax)
        ax.set(title=title, xlabel="x")

    def show(lam: float) -> None:
        for name, line in drawn:
            line.set_ydata(_at(rows, name, lam)["y"])
        for ax in axes:
            ax.set_xlabel(rf"x,  $\lambda$ = {lam:.2f}")

    return animation.save(figure, show, sorted(rows["lam"].unique()), place.figures / "fig5.gif")


def draw(place: Place) -> list[Path]:
    """Draw the stills and the animation."""
    rows = read(place, "illustrations/fig5.csv.gz", "fig5")
    return stills(place, rows) + moving(place, rows)
