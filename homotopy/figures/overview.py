"""One page with all the paper's figures, each under the verdicts on the claims that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from homotopy.errors import ResultError
from homotopy.figures import common
from homotopy.figures.loading import Place

ROWS = (("fig1", "fig8"), ("fig2a", "fig2b", "fig9"), ("fig3a", "fig3b"), ("fig4", "fig7"), ("fig5", "fig6"))
WIDTH, LINE, GAP, DPI = 14.0, 0.16, 0.12, 200  # inches, inches, inches, pixels per inch of the figures
COLOURS = {"reproduced": "#007a58", "partly": "#a06a00", "not reproduced": "#c04f00", "inconclusive": "#555555"}


class Panel(NamedTuple):
    """A drawn figure, its image (rows, columns, channels) and the lines above it, each with its colour."""

    image: np.ndarray
    lines: list[tuple[str, str]]

    @property
    def shape(self) -> float:
        """Width over height."""
        return self.image.shape[1] / self.image.shape[0]


def verdicts(place: Place) -> pd.DataFrame:
    """Return what the report has found: id, number, figures, verdict, text; empty before the first report."""
    path = place.folder / "report" / "verdicts.csv"
    columns = ["id", "number", "figures", "verdict", "text"]
    return pd.read_csv(path, keep_default_na=False) if path.exists() else pd.DataFrame(columns=columns)


def panel(name: str, place: Place, found: pd.DataFrame) -> Panel:
    """Return a figure with its title and, below, the verdicts on its claims."""
    lines = [(f"Fig. {name.removeprefix('fig')}", "#000000")]
    for claim in found.astype(str).to_dict("records"):
        if name in claim["figures"].split() and claim["verdict"] in COLOURS:
            lines.append((f"{claim['id']}: {claim['text']}", COLOURS[claim["verdict"]]))
    return Panel(plt.imread(place.figures / f"{name}.png"), lines)


def row_height(panels: Sequence[Panel]) -> float:
    """Return the height in inches that fills the page's width, but no larger than the figures are."""
    largest = max(panel.image.shape[0] for panel in panels) / DPI
    return min(WIDTH / sum(panel.shape for panel in panels), largest)


def _head(panels: Sequence[Panel]) -> float:
    return LINE * max(len(panel.lines) for panel in panels) + GAP


def add_row(figure: Figure, panels: Sequence[Panel], top: float) -> float:
    """Place panels side by side below `top` (inches from the bottom); return the row's lower end."""
    total, height = figure.get_figheight(), row_height(panels)
    left = (WIDTH - height * sum(panel.shape for panel in panels)) / 2
    bottom = top - _head(panels) - height
    for each in panels:
        axes = figure.add_axes((left / WIDTH, bottom / total, height * each.shape / WIDTH, height / total))
        axes.imshow(each.image, interpolation="lanczos")
        axes.axis("off")
        for i, (text, colour) in enumerate(each.lines):
            y = (top - GAP / 2 - LINE * (i + 1)) / total
            figure.text((left + 0.1) / WIDTH, y, text, fontsize=8, color=colour, weight="normal" if i else "bold")
        left += height * each.shape
    return bottom


def draw(place: Place) -> list[Path]:
    """Draw the overview of the figures that there are; raise ResultError if there is none."""
    found = verdicts(place)
    names = [[name for name in row if (place.figures / f"{name}.png").exists()] for row in ROWS]
    rows = [[panel(name, place, found) for name in row] for row in names if row]
    if not rows:
        raise ResultError(f"overview: no figure in {place.figures}; draw them with: python scripts/plot.py")
    top = sum(row_height(panels) + _head(panels) for panels in rows)
    figure = plt.figure(figsize=(WIDTH, top))
    for panels in rows:
        top = add_row(figure, panels, top)
    return common.save(figure, place.figures / "overview")
