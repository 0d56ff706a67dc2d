"""One page with all the paper's figures, each under the verdicts on the claims that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from homotopy.errors import ResultError
from homotopy.figures import common
from homotopy.figures.loading import Place

ROWS = (("fig1", "fig8"), ("fig2a", "fig2b", "fig9"), ("fig3a", "fig3b"), ("fig4", "fig5"), ("fig7", "fig6"))
WIDTH = 14.0  # inches
TITLE = 0.32  # inches above each figure
COLOURS = {
    "reproduced": "#009E73", "partly": "#B07800", "not reproduced": "#D55E00", "inconclusive": "#555555",
}  # fmt: skip


def verdicts(place: Place) -> pd.DataFrame:
    """Return what the report has found: id, number, figures, verdict; empty before the first report."""
    path = place.folder / "report" / "verdicts.csv"
    columns = ["id", "number", "figures", "verdict", "text"]
    return pd.read_csv(path, keep_default_na=False) if path.exists() else pd.DataFrame(columns=columns)


def caption(name: str, found: pd.DataFrame) -> tuple[str, str]:
    """Return a figure's title, and the colour of the weakest verdict among its claims."""
    title = f"Fig. {name.removeprefix('fig')}"
    shown = found["figures"].map(lambda figures: name in figures.split()).astype(bool)
    about = found[shown & found["verdict"].isin(COLOURS)]
    if about.empty:
        return title, "#222222"
    texts = ", ".join(f"{row.id}: {row.text}" for row in about.itertuples())
    weakest = max(about["verdict"], key=["reproduced", "partly", "inconclusive", "not reproduced"].index)
    return f"{title}   {texts}", COLOURS[weakest]


def add_row(
    figure: Figure, names: Sequence[str], images: Sequence[np.ndarray], top: float, found: pd.DataFrame
) -> float:
    """Place images side by side across the page below `top` (inches from the bottom); return the row's lower end."""
    shapes = [image.shape[1] / image.shape[0] for image in images]
    height = min(WIDTH / sum(shapes), 4.0)
    left = (WIDTH - height * sum(shapes)) / 2
    total = figure.get_figheight()
    for name, image, shape in zip(names, images, shapes, strict=True):
        box = (left / WIDTH, (top - TITLE - height) / total, height * shape / WIDTH, height / total)
        axes = figure.add_axes(box)
        axes.imshow(image, interpolation="lanczos")
        axes.axis("off")
        title, colour = caption(name, found)
        axes.set_title(title, fontsize=8, color=colour, loc="left", wrap=True)
        left += height * shape
    return top - TITLE - height


def draw(place: Place) -> list[Path]:
    """Draw the overview of the figures that there are; raise ResultError if there is none."""
    rows = [[name for name in row if (place.figures / f"{name}.png").exists()] for row in ROWS]
    drawn = {name: plt.imread(place.figures / f"{name}.png") for row in rows for name in row}
    if not drawn:
        raise ResultError(f"overview: no figure in {place.figures}; draw them with: python scripts/plot.py")
    heights = [min(WIDTH / sum(drawn[n].shape[1] / drawn[n].shape[0] for n in row), 4.0) for row in rows if row]
    top = sum(heights) + TITLE * len(heights) + 0.1
    figure = plt.figure(figsize=(WIDTH, top))
    for row in filter(None, rows):
        top = add_row(figure, row, [drawn[name] for name in row], top, verdicts(place))
    return common.save(figure, place.figures / "overview")
