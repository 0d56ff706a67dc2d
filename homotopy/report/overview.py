"""One page with all the paper's figures, each under the verdicts on the claims that it stands for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from homotopy.report.names import NAMES
from homotopy.results.files import write_atomic
from homotopy.results.library import Place

ROWS = (("fig1", "fig8"), ("fig2a", "fig2b"), ("fig3a", "fig3b"), ("fig4", "fig7"), ("fig9", "fig6", "fig5"))
SHAPES = {"fig2a": 2.04, "fig5": 1.22, "fig6": 2.29, "fig9": 1.1}  # width over height, where not drawn
SHAPE = 2.2  # of all others
WIDTH, LINE, GAP, DPI = 10.0, 0.16, 0.14, 150  # inches, inches, inches, pixels per inch: a page of 1,500 pixels
QUIET = "#999999"
COLOURS = {  # no method's, so that a verdict is not taken for a curve
    "reproduced": "#4b2991",
    "partly": "#8a7400",
    "not reproduced": "#9c1a4a",
    "open": "#555555",
}


class Panel(NamedTuple):
    """A figure's image and the lines above it, each with its colour.

    A figure that is not drawn has no image, and one line in its place.
    """

    image: Image.Image | None
    shape: float
    lines: list[tuple[str, str]]
    instead: str = ""


def panel(name: str, place: Place, found: pd.DataFrame) -> Panel:
    """Return a figure with its title and, below, the verdicts on its claims; or the command that makes its results.

    `found` is the report's table of verdicts: id, figures (separated by blanks), verdict, text.
    """
    title = (f"Fig. {name.removeprefix('fig')}", "#000000")
    path = place.figures / f"{name}.png"
    if not path.exists():
        command = place.command(name).replace(" experiment", "\nexperiment")
        return Panel(None, SHAPES.get(name, SHAPE), [title], f"not yet run\n\n{command}")
    lines = [title]
    for claim in found.to_dict("records"):
        if name in claim["figures"].split():
            lines.append((f"{NAMES[claim['id']]}: {claim['text']}", COLOURS[claim["verdict"]]))
    image = Image.open(path).convert("RGB")
    return Panel(image, image.width / image.height, lines)


def row_height(panels: Sequence[Panel]) -> float:
    """Return the height in inches at which the panels fill the page's width."""
    return WIDTH / sum(panel.shape for panel in panels)


def _head(panels: Sequence[Panel]) -> float:
    return LINE * max(len(panel.lines) for panel in panels) + GAP


def _show(figure: Figure, image: Image.Image, left: float, bottom: float, width: float, height: float) -> None:
    """Put an image on the page, pixel on pixel; inches."""
    size = (round(width * DPI), round(height * DPI))
    pixels = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
    figure.figimage(pixels, round(left * DPI), round(bottom * DPI), origin="upper")


def _leave_empty(figure: Figure, reason: str, left: float, bottom: float, width: float, height: float) -> None:
    """Draw a faint frame and say in grey why nothing is there; inches."""
    margin, total = 0.12, figure.get_figheight()
    box = (
        (left + margin) / WIDTH,
        (bottom + margin) / total,
        (width - 2 * margin) / WIDTH,
        (height - 2 * margin) / total,
    )
    axes = figure.add_axes(box)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color="#dddddd", linestyle=":")
    axes.text(0.5, 0.5, reason, transform=axes.transAxes, ha="center", va="center", fontsize=7, color=QUIET)


def add_row(figure: Figure, panels: Sequence[Panel], top: float) -> float:
    """Place panels side by side below `top` (inches from the bottom); return the row's lower end."""
    total, height = figure.get_figheight(), row_height(panels)
    left, bottom = 0.0, top - _head(panels) - height
    for each in panels:
        width = height * each.shape
        if each.image is not None:
            _show(figure, each.image, left, bottom, width, height)
        else:
            _leave_empty(figure, each.instead, left, bottom, width, height)
        for i, (text, colour) in enumerate(each.lines):
            y = (top - GAP / 2 - LINE * (i + 1)) / total
            figure.text((left + 0.1) / WIDTH, y, text, fontsize=8, color=colour, weight="normal" if i else "bold")
        left += width
    return bottom


def draw(place: Place, found: pd.DataFrame) -> list[Path]:
    """Draw the overview, if any of its figures is there, with the verdicts that the report has found."""
    rows = [[panel(name, place, found) for name in row] for row in ROWS]
    if all(each.image is None for row in rows for each in row):
        return []
    top = sum(row_height(panels) + _head(panels) for panels in rows)
    figure = Figure(figsize=(WIDTH, top), dpi=DPI)
    for panels in rows:
        top = add_row(figure, panels, top)
    path = place.figures / "overview.png"
    _save(figure, path)
    return [path]


def _save(figure: Figure, path: Path) -> None:
    """Write the page as a PNG that is small enough to stand on a web page."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    write_atomic(path, small_png(Image.fromarray(np.asarray(canvas.buffer_rgba()))))


def small_png(image: Image.Image) -> bytes:
    """Return a PNG of 256 colours: enough for lines and shades, and a third in size."""
    few = image.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small = io.BytesIO()
    few.save(small, "PNG", optimize=True)
    return small.getvalue()
