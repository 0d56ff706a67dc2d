"""Figure 6: a "2" of MNIST, a sandal of FashionMNIST, and their mixtures with label vectors; also as an animation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from homotopy.figures import animation, common, looks
from homotopy.figures.origins import origins
from homotopy.figures.tables import find, read
from homotopy.results.library import Place

STRIP = tuple(i / 10 for i in range(11))


def image(rows: pd.DataFrame, lam: float) -> np.ndarray:
    """Return the mixed image, (H, W) in 0..1."""
    found = rows[(rows["kind"] == "pixel") & np.isclose(rows["lam"], lam)]
    return found.pivot(index="row", columns="column", values="value").to_numpy()


def label(rows: pd.DataFrame, lam: float) -> np.ndarray:
    """Return the label vector, (classes,)."""
    found = rows[(rows["kind"] == "label") & np.isclose(rows["lam"], lam)]
    return found.sort_values("row")["value"].to_numpy()


def _show(axes: Axes, pixels: np.ndarray) -> AxesImage:
    axes.set(xticks=(), yticks=())
    axes.grid(False)
    return axes.imshow(pixels, cmap="gray", vmin=0, vmax=1)


def vector(values: np.ndarray) -> str:
    """Write a label vector as Section 4.2.2 does."""
    return "[" + ", ".join(f"{value:g}" for value in np.round(values, 2)) + "]"


def origin(place: Place) -> list[str]:
    """Say where the images come from."""
    return origins(json.loads(find(place, "illustrations/fig6.json", "fig6").read_text())["data"])


def stills(place: Place, rows: pd.DataFrame) -> list[Path]:
    """Draw the paper's three panels and, below, a strip of lam = 0, 0.1, ..., 1; the files' metadata say the origin."""
    figure, axes = common.subplots(columns=11, rows=2, height=1.2, gridspec_kw={"height_ratios": (4, 1)})
    grid = axes[0].get_gridspec()
    assert grid is not None  # subplots make one
    for ax in axes[:11]:
        ax.remove()
    for name, lam, columns in (("a", 0.0, slice(0, 3)), ("b", 0.5, slice(4, 7)), ("c", 1.0, slice(8, 11))):
        ax = figure.add_subplot(grid[0, columns])
        _show(ax, image(rows, lam))
        ax.set_title(rf"({name}) $\lambda = {lam:g}$")
        ax.set_xlabel(f"y = {vector(label(rows, lam))}", fontsize=6.5)
    for ax, lam in zip(axes[11:], STRIP, strict=True):
        _show(ax, image(rows, lam))
        ax.set_xlabel(f"{lam:g}")
    axes[11].set_ylabel(r"$\lambda$:", rotation=0, labelpad=6, y=-0.32)
    return common.save(figure, place.figures / "fig6", "; ".join(origin(place)))


def moving(place: Place, rows: pd.DataFrame) -> list[Path]:
    """Animate lam from 0 to 1: the image, and the label vector as bars."""
    figure, (left, right) = common.subplots(columns=2)
    picture = _show(left, image(rows, 0.0))
    bars = right.bar(np.arange(10), label(rows, 0.0), color=looks.COLOURS["homotopy"])
    right.set(xlabel="class", ylabel="probability", xticks=range(10), ylim=(0, 1.02))

    def show(lam: float) -> None:
        picture.set_data(image(rows, lam))
        for bar, value in zip(bars, label(rows, lam), strict=True):
            bar.set_height(value)
        left.set_title(rf"$\lambda$ = {lam:.2f}")

    left.set_title(r"$\lambda$ = 0.00")
    return animation.save(figure, show, sorted(rows["lam"].unique()), place.figures / "fig6.gif", dpi=150)


def draw(place: Place) -> list[Path]:
    """Draw the stills and the animation."""
    rows = read(place, "illustrations/fig6.csv.gz", "fig6")
    return stills(place, rows) + moving(place, rows)
