"""A strip beside a panel: every seed's value at the end, and how many seeds solve the task."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from matplotlib.axes import Axes

from homotopy.figures import common, looks
from homotopy.results.library import Result
from homotopy.results.statistics import settling

_RULES = Path(__file__).resolve().parents[2] / "rules.yaml"


@cache
def solved() -> float:
    """Return the loss below which a run counts as having solved its task, from the rules that judge the claims."""
    return float(yaml.safe_load(_RULES.read_text())["solved"])


def spread(n: int, width: float = 0.6) -> np.ndarray:
    """Return where n seeds stand side by side around 0, (n,)."""
    return np.linspace(-width / 2, width / 2, n) if n > 1 else np.zeros(n)


def dots(axes: Axes, x: np.ndarray, y: np.ndarray, method: str, label: str | None = None) -> None:
    """Draw a marker for each seed at x and y, both (n,), smaller and fainter where they are many.

    A seed that diverged has none.
    """
    size, faint = (3.2, 0.8) if len(x) <= 20 else (2.2, 0.5)
    look: dict[str, Any] = {"color": looks.COLOURS[method], "markersize": size, "markeredgewidth": 0, "alpha": faint}
    axes.plot(x, y, looks.MARKERS[method], zorder=2, label=label, **look)


def _share(values: np.ndarray, below: float | None) -> str:
    """Write how many of the seeds are below a value, or how many there are."""
    return f"{len(values)}" if below is None else rf"$\dfrac{{{np.sum(values < below)}}}{{{len(values)}}}$"


def strip(axes: Axes, results: Sequence[Result], metric: str, *, last: int = 100, below: float | None = None) -> None:
    """Draw every seed's settled value of a metric (`statistics.settled`), a column and a median bar for each method.

    `below` marks a loss and counts under each column the seeds that end below it.
    """
    labels = []
    for i, found in enumerate(results):
        method, values = found.config.method.name, found.settled(metric, last)
        dots(axes, i + spread(len(values)), values, method)
        axes.hlines(np.median(values), i - 0.38, i + 0.38, color=looks.COLOURS[method], linewidth=1.7, zorder=3)
        labels.append(_share(values, below))
    axes.set_xticks(range(len(results)), labels, fontsize=7 if max(r.seeds for r in results) < 100 else 5.5)
    for label, found in zip(axes.get_xticklabels(), results, strict=True):
        label.set_color(looks.COLOURS[found.config.method.name])
    axes.tick_params(axis="x", length=0, pad=1)
    axes.tick_params(axis="y", which="both", left=False, labelleft=False)
    axes.grid(axis="x", visible=False)
    axes.spines["left"].set_visible(False)
    epochs = settling(results[0].config.epochs, last)
    axes.set_title(f"last {epochs:g}\nepochs" if epochs > 1 else "last\nepoch", fontsize=5.5, color=common.GREY, pad=2)
    axes.set_xlim(-0.6, len(results) - 0.4)
    if below is not None:
        axes.axhline(below, color=common.GREY, linewidth=0.6, linestyle=":")
    axes.set_xlabel("seeds" if below is None else f"below {below:g}", fontsize=common.SMALL)
