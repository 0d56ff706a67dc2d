"""Appendix C: what the Gaussian filter's approximation costs, in its targets and in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from homotopy.figures import common
from homotopy.figures.files import read
from homotopy.library import Place, count, experiment
from homotopy.statistics import band

_COLOURS = (common.SKY, common.ORANGE, common.BLUE)
TRAINED = {
    "linear_targets": ("same x (Eq. 14)", common.BLUE),
    "gaussian_filter": ("Gaussian filter", common.VERMILLION),
}


def error_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the error of the filtered target at lam = 1 against xi, by M, with the part that no M removes."""
    samples = sorted(rows["M"].unique())
    for m, colour in zip(samples, _COLOURS, strict=True):
        part = rows[rows["M"] == m]
        axes.plot(part["xi"], part["rmse"], "o-", markersize=2.5, color=colour, label=f"M = {m:,}")
        axes.fill_between(part["xi"], part["low"], part["high"], color=colour, alpha=0.3, linewidth=0)
    last = rows[rows["M"] == samples[-1]]
    axes.plot(last["xi"], last["bias"], "k--", linewidth=0.9, label=r"bias, $M \to \infty$")
    axes.plot(last["xi"], last["normalised"], ":", color=_COLOURS[-1], label=f"M = {samples[-1]:,}, normalised")
    axes.set(xscale="log", yscale="log", xlabel=r"$\xi$", ylabel="root mean square error", ylim=(5e-3, 30))
    axes.legend(loc="upper right", fontsize=6)


def ends_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the exact target and the filter's expectation near x = 0."""
    widths = sorted(rows["xi"].unique())
    exact = rows[rows["xi"] == widths[0]]
    axes.plot(exact["x"], exact["target"], color="0.6", label=r"$\sin(137 x)$")
    for width, colour in zip(widths, (common.BLUE, common.VERMILLION), strict=True):
        part = rows[rows["xi"] == width]
        axes.plot(part["x"], part["filtered"], color=colour, label=rf"$\xi$ = {width:g}")
    axes.set(xlabel="x", ylabel="expected target", ylim=(-1.1, 2.2), yticks=(-1, 0, 1), xticks=(0, 0.05, 0.1))
    axes.legend(loc="upper right", fontsize=6)


def training_panel(axes: Axes, place: Place) -> str:
    """Draw the homotopy's loss on the target with either deformation; return how many seeds."""
    found = experiment("appendix_c", place)
    for result in found:
        label, colour = TRAINED[result.config.task.deformation]
        table = result.table("target_loss")
        seen = np.isfinite(table).any(axis=0)
        common.line(axes, result.epochs[seen], band(table[:, seen]), colour=colour, label=label)
    axes.set(yscale="log", xlabel="epochs", ylabel="train loss on the target")
    axes.legend(loc="lower left", fontsize=6)
    return count(found)


def draw(place: Place) -> list[Path]:
    """Draw the target's error, its end at x = 0, and training."""
    figure, axes = common.subplots(columns=3)
    error_panel(axes[0], read(place, "theory/filter_error.csv", "theory"))
    ends_panel(axes[1], read(place, "theory/filter_ends.csv", "theory"))
    seeds = training_panel(axes[2], place)
    for ax, title in zip(axes, ("(a) filtered target", "(b) near the end", f"(c) homotopy, {seeds}"), strict=True):
        ax.set_title(title)
    return common.save(figure, place.figures / "figc")
