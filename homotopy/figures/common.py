"""One look for every figure: the same colour for a method everywhere, safe for colour-blind readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

COLUMN_WIDTH = 3.4  # inches
TEXT_WIDTH = 7.0
# Okabe and Ito's palette
PALETTE = BLUE, SKY, GREEN, VERMILLION, PURPLE, ORANGE = (
    "#0072B2", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#E69F00",
)  # fmt: skip
COLOURS = {"homotopy": BLUE, "warmstart": VERMILLION, "random": GREEN}
COLOURS |= {"random_homotopy": PURPLE, "amplitude": ORANGE, "adaptive": SKY, "secant": "#000000"}
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.5,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
    "svg.hashsalt": "homotopy",
}


def subplots(columns: int = 1, height: float = 2.4, rows: int = 1, **options) -> tuple[Figure, list[Axes]]:
    """Return a figure one column wide (two for more panels) and its axes as a flat list."""
    plt.rcParams.update(_STYLE)
    width = COLUMN_WIDTH if columns == 1 else TEXT_WIDTH
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, height * rows), squeeze=False, layout="constrained", **options
    )
    return figure, list(axes.flat)


def legend(figure: Figure, axes: Axes) -> None:
    """Explain the lines of `axes` above all panels, where it hides no curve."""
    handles, labels = axes.get_legend_handles_labels()
    columns = len(labels) if figure.get_figwidth() > COLUMN_WIDTH else 2
    figure.legend(handles, labels, loc="outside upper center", ncols=columns, columnspacing=1.5)


def line(axes: Axes, x: Any, band: tuple[Any, Any, Any], style: str = "-", *, colour: str, **options: Any) -> None:
    """Draw a median (points,) over x in its colour and shade the band between the quartiles."""
    median, low, high = band
    axes.plot(x, median, style, color=colour, **options)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)


def caption(figure: Figure, text: str) -> None:
    """Write small text below all panels, or nothing."""
    if text:
        figure.supxlabel(text, fontsize=6)


def save(figure: Figure, path: Path) -> list[Path]:
    """Write `path`.png and `path`.pdf without dates, so that the same data give the same bytes; close the figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    png, pdf = path.with_suffix(".png"), path.with_suffix(".pdf")
    figure.savefig(png, metadata={"Software": None})
    figure.set_layout_engine("none")  # laid out once, for both files
    figure.savefig(pdf, metadata={"CreationDate": None, "Producer": None, "Creator": None})
    plt.close(figure)
    return [png, pdf]
