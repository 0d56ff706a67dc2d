"""Figures 1, 2b and 8: train loss against epochs, a panel per task: every seed, the median, and each seed's end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from homotopy.figures import common, ends, looks, names
from homotopy.results.library import Place, Result, count, tasks
from homotopy.results.methods import LABELS

_MARKED = 7  # values of lam that have room above a panel
SMOOTH = 5  # recorded points of a running median, without which the flicker of a constant step size hides the curves


def running(values: np.ndarray, points: int) -> np.ndarray:
    """Return the running median over as many neighbouring points, of one curve (points,) or of several (n, points).

    Steps stay as steep as they are; at the ends there are fewer neighbours. What is not finite stays out.
    """
    windows = pd.DataFrame(values.T).rolling(points, center=True, min_periods=1)
    return windows.median().to_numpy().T.reshape(values.shape)


def smoothed(found: Result) -> str:
    """Say over how many epochs running medians of SMOOTH points go."""
    return f"running median of {SMOOTH * found.config.log_every} epochs"


def curves(axes: Axes, results: list[Result], metric: str, points: int = 1) -> dict[str, Line2D]:
    """Draw every seed's curve thin and the median over them heavy, both as running medians over some points.

    Return the medians' lines by the methods' names.
    """
    drawn = {}
    for found in results:
        method, median = found.config.method.name, found.band(metric)[0]
        common.seeds(axes, found.epochs, running(found.table(metric), points), colour=looks.COLOURS[method])
        drawn[LABELS[method]] = common.median(axes, found.epochs, running(median, points), method)
    axes.set(xlabel="epochs", xlim=(0, results[0].config.epochs))
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.grid(axis="x", visible=False)
    return drawn


def path(axes: Axes, results: list[Result]) -> None:
    """Shade the epochs of the homotopy's path, if it is there, part them at each lam, and write lam above."""
    steps = next((found.config.steps() for found in results if found.config.method.path == "schedule"), [])
    along = [step for step in steps if not step.final]
    if not along:
        return
    axes.axvspan(0, along[-1].epochs.stop - 1, color=looks.BLUE, alpha=0.05, linewidth=0, zorder=0)
    for step in along:
        axes.axvline(step.epochs.stop - 1, color="0.8", linewidth=0.4, zorder=1)
    share = along[-1].epochs.stop / steps[-1].epochs.stop
    every = -(-len(along) // max(1, int(_MARKED * share)))
    look: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 5.5, "color": common.GREY}
    for i, step in enumerate(along[::-1][::every]):
        middle = (step.epochs.start + step.epochs.stop) / 2 - 1
        text = rf"$\lambda$ = {step.lam:.3g}" if i == 0 else f"{step.lam:.3g}"
        axes.text(middle, 1.01, text, transform=axes.get_xaxis_transform(), **look)


def panel(axes: Axes, strip: Axes, results: list[Result]) -> dict[str, Line2D]:
    """Draw one task: the losses on the target, lam over the path, and the strip of ends; return the medians' lines."""
    drawn = curves(axes, results, "target_loss", SMOOTH)
    path(axes, results)
    axes.set(yscale="log")
    axes.set_title(f"{results[0].config.task.title}, {count(results)}", pad=11)
    ends.strip(strip, results, "target_loss", below=ends.solved())
    return drawn


def draw(name: str, place: Place) -> list[Path]:
    """Draw the curves of experiment `name`, a panel per task in the experiment's order."""
    panels, note = tasks(name, place)
    widths = [4, 1.4] * len(panels)
    figure, axes = common.subplots(columns=2 * len(panels), height=2.5, sharey=True, width_ratios=widths)
    pairs = list(zip(axes[::2], axes[1::2], panels, strict=True))
    drawn = [panel(ax, strip, results) for ax, strip, results in pairs]
    axes[0].set_ylabel(f"train loss on the target\n({smoothed(panels[0][0])})")
    common.caption(figure, note)
    names.at_lines(figure, list(zip(axes[::2], drawn, strict=True)))
    return common.save(figure, place.figures / name)
