"""One look for every figure: ICLR's width, and how lines, legends and captions are drawn and files written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)
import numpy as np  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.collections import LineCollection  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402

from homotopy.figures import looks  # noqa: E402
from homotopy.results.files import write_atomic  # noqa: E402

WIDTH = 5.5  # inches: ICLR's text
SMALL = 6.5  # points
GREY = "0.4"
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.5,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "svg.hashsalt": "homotopy",
}


def subplots(columns: int = 1, height: float = 2.4, rows: int = 1, **options) -> tuple[Figure, list[Axes]]:
    """Return a figure as wide as the text, with rows of this height (inches), and its axes as a flat list."""
    plt.rcParams.update(_STYLE)
    figure, axes = plt.subplots(
        rows, columns, figsize=(WIDTH, height * rows), squeeze=False, layout="constrained", **options
    )
    return figure, list(axes.flat)


def seeds(axes: Axes, x: np.ndarray, table: np.ndarray, *, colour: str) -> None:
    """Draw a thin line for every row of `table` (seeds, points) over x (points,), the fainter the more they are."""
    lines = [np.column_stack([x, row]) for row in table]
    faint = min(0.55, 1.5 / np.sqrt(max(len(lines), 1)))
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.45, alpha=faint, zorder=1.5, rasterized=True))


def median(axes: Axes, x: np.ndarray, values: np.ndarray, method: str, **options: Any) -> Line2D:
    """Draw a method's median (points,) over x (points,), heavy, in its colour and dashes."""
    look = {"color": looks.COLOURS[method], "linestyle": looks.DASHES[method], "linewidth": 1.7, "zorder": 3}
    (line,) = axes.plot(x, values, **look | options)
    return line


def line(axes: Axes, x: Any, band: tuple[Any, Any, Any], *, colour: str, **options: Any) -> None:
    """Draw a median (points,) over x in its colour and shade the band between the quartiles."""
    centre, low, high = band
    axes.plot(x, centre, color=colour, **options)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)


def legend(figure: Figure, axes: Axes) -> None:
    """Put a legend of what `axes` shows above all panels, where names at the lines would lie on other lines."""
    shown = {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=len(shown), columnspacing=1.5)


def caption(figure: Figure, text: str) -> None:
    """Write small text below all panels, or nothing."""
    if text:
        figure.supxlabel(text, fontsize=6)


def save(figure: Figure, path: Path, about: str = "") -> list[Path]:
    """Write `path`.png and `path`.pdf, with `about` in their metadata, and close the figure.

    Neither holds a date, so that the same data give the same bytes. A path that ends in .png or .pdf stands for both.
    """
    path = path.with_suffix("") if path.suffix in (".png", ".pdf") else path
    kinds: dict[str, dict[str, str | None]] = {
        "png": {"Software": None, "Description": about or None},
        "pdf": {"CreationDate": None, "Producer": None, "Creator": None, "Subject": about or None},
    }
    files = []
    for kind, metadata in kinds.items():
        drawn = io.BytesIO()
        figure.savefig(drawn, format=kind, metadata=metadata)
        figure.set_layout_engine("none")  # laid out once, for both files
        files.append(path.with_name(f"{path.name}.{kind}"))
        write_atomic(files[-1], drawn.getvalue())
    plt.close(figure)
    return files
