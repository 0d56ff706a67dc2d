"""Appendix C: what the Gaussian filter's approximation costs, in its targets and in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from homotopy.figures import common
from homotopy.figures.tables import read
from homotopy.results.library import Place, count, experiment
from homotopy.results.statistics import band

FILTER = "#882255"  # Tol's wine: no method has it in any figure
_TINTS = ("#d9a0bb", "#b45c86", FILTER)  # from few samples to many
TRAINED = {
    "linear_targets": ("same x (Eq. 14)", common.COLOURS["homotopy"]),
    "gaussian_filter": ("Gaussian filter", FILTER),
}


def _legend_below(axes: Axes) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(-0.1, -0.25), fontsize=6.5)


def error_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the error of the filtered target at lam = 1 against xi, by M, with the part that no M removes."""
    samples = sorted(rows["M"].unique())
    for m, colour in zip(samples, _TINTS, strict=True):
        part = rows[rows["M"] == m]
        axes.plot(part["xi"], part["rmse"], "o-", markersize=2.5, color=colour, label=f"M = {m:,}")
        axes.fill_between(part["xi"], part["low"], part["high"], color=colour, alpha=0.3, linewidth=0)
    last = rows[rows["M"] == samples[-1]]
    axes.plot(last["xi"], last["bias"], "k--", linewidth=0.9, label=r"bias, $M \to \infty$")
    axes.plot(last["xi"], last["normalised"], ":", color=FILTER, label=f"M = {samples[-1]:,}, normalised")
    axes.set(xscale="log", yscale="log", xlabel=r"$\xi$", ylabel="root mean square error", ylim=(5e-3, 2.5))
    _legend_below(axes)


def ends_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the exact target and the filter's expectation near x = 0, where the data end."""
    widths = sorted(rows["xi"].unique())
    exact = rows[rows["xi"] == widths[0]]
    axes.plot(exact["x"], exact["target"], color="0.6", label=r"$\sin(137 x)$")
    for width, style in zip(widths, ("-", "--"), strict=True):
        part = rows[rows["xi"] == width]
        axes.plot(part["x"], part["filtered"], style, color=FILTER, label=rf"filtered, $\xi$ = {width:g}")
    axes.set(xlabel="x", ylabel="expected target", ylim=(-1.1, 1.1), yticks=(-1, 0, 1), xticks=(0, 0.05, 0.1))
    _legend_below(axes)


def training_panel(axes: Axes, place: Place) -> str:
    """Draw the homotopy's loss on the target with either deformation; return how many seeds."""
    found = experiment("appendix_c", place)
    for result in found:
        label, colour = TRAINED[result.config.task.deformation]
        table = result.table("target_loss")
        seen = np.isfinite(table).any(axis=0)
        common.line(axes, result.epochs[seen], band(table[:, seen]), colour=colour, label=label)
    axes.set(yscale="log", xlabel="epochs", ylabel="train loss on the target")
    _legend_below(axes)
    return count(found)


def draw(place: Place) -> list[Path]:
    """Draw the target's error, its end at x = 0, and training."""
    figure, axes = common.subplots(columns=3, height=3.0)
    error_panel(axes[0], read(place, "theory/filter_error.csv", "theory"))
    ends_panel(axes[1], read(place, "theory/filter_ends.csv", "theory"))
    seeds = training_panel(axes[2], place)
    titles = ("(a) the filter's error", "(b) target at the end x = 0", f"(c) homotopy, {seeds}")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
    return common.save(figure, place.figures / "figc")
