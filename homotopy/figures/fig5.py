"""Figure 5: the sine task's deformation by Eq. 14 and by its Gaussian-filter approximation, and as an animation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from homotopy.figures import animation, common, looks
from homotopy.figures.tables import read
from homotopy.results.library import Place

TITLES = {
    "linear_targets": "(a) targets mixed at the same x (Eq. 14)",
    "gaussian_filter": "(b) Gaussian filter (Eq. 21, 22)",
}
FUNCTION = "function"
BLUE = looks.COLOURS["homotopy"]
SHOWN = (0.0, 0.25, 0.5, 0.75, 1.0)


def _at(rows: pd.DataFrame, deformation: str, lam: float) -> pd.DataFrame:
    return rows[(rows["deformation"] == deformation) & np.isclose(rows["lam"], lam)]


def _panel(axes: Axes, rows: pd.DataFrame, name: str, lam: float, size: float = 1.5) -> dict[str, Line2D]:
    """Draw a deformation's samples on the function that it approximates; return the lines by what they show."""
    function, samples = _at(rows, FUNCTION, lam), _at(rows, name, lam)
    (line,) = axes.plot(function["x"], function["y"], "-", color="0.75", linewidth=0.6)
    (dots,) = axes.plot(samples["x"], samples["y"], ".", color=BLUE, markersize=size, markeredgewidth=0)
    axes.set(xlim=(0, 1), ylim=(-1.5, 1.5), yticks=(-1, 0, 1), xticks=(0, 0.25, 0.5, 0.75, 1))
    axes.xaxis.set_major_formatter("{x:g}")
    return {FUNCTION: line, name: dots}


def stills(place: Place, rows: pd.DataFrame) -> list[Path]:
    """Draw a row of panels for each of five lam, a column for each deformation."""
    figure, axes = common.subplots(columns=2, rows=len(SHOWN), height=0.9, sharex=True, sharey=True)
    for i, lam in enumerate(SHOWN):
        for ax, name in zip(axes[2 * i : 2 * i + 2], TITLES, strict=True):
            _panel(ax, rows, name, lam)
        axes[2 * i].set_ylabel(rf"$\lambda = {lam:g}$")
    for top, bottom, title in zip(axes[:2], axes[-2:], TITLES.values(), strict=True):
        top.set_title(title)
        bottom.set_xlabel("x")
    return common.save(figure, place.figures / "fig5")


def moving(place: Place, rows: pd.DataFrame) -> list[Path]:
    """Animate lam from 0 to 1 in both panels."""
    figure, axes = common.subplots(columns=2, sharey=True)
    drawn: list[tuple[str, Line2D]] = []
    for ax, (name, title) in zip(axes, TITLES.items(), strict=True):
        drawn += _panel(ax, rows, name, 0.0, size=2.5).items()
        ax.set(title=title, xlabel="x")

    def show(lam: float) -> None:
        for name, line in drawn:
            line.set_ydata(_at(rows, name, lam)["y"])
        for ax in axes:
            ax.set_xlabel(rf"x,  $\lambda$ = {lam:.2f}")

    return animation.save(figure, show, sorted(rows["lam"].unique()), place.figures / "fig5.gif", dpi=150)


def draw(place: Place) -> list[Path]:
    """Draw the stills and the animation."""
    rows = read(place, "illustrations/fig5.csv.gz", "fig5")
    return stills(place, rows) + moving(place, rows)
