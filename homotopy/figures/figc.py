"""Appendix C: what the Gaussian filter's approximation costs, in its targets and in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from homotopy.figures import common, looks, names
from homotopy.figures.fig1 import SMOOTH, running, smoothed
from homotopy.figures.tables import read
from homotopy.results.library import Place, count, experiment

FILTER = "#882255"  # Tol's wine: no method has it in any figure
_TINTS = ("#d9a0bb", "#b45c86", FILTER)  # from few samples to many
TRAINED = {
    "linear_targets": ("same x", looks.COLOURS["homotopy"]),
    "gaussian_filter": ("Gaussian filter", FILTER),
}


def error_panel(axes: Axes, rows: pd.DataFrame) -> dict[str, Line2D]:
    """Draw the error of the filtered target at lam = 1 against xi, by M, with the part that no M removes.

    Return the lines by their names.
    """
    drawn = {}
    samples = sorted(rows["M"].unique())
    for m, colour in zip(samples, _TINTS, strict=True):
        part = rows[rows["M"] == m]
        (drawn[f"M = {m:,}"],) = axes.plot(part["xi"], part["rmse"], "o-", markersize=2.5, color=colour)
        axes.fill_between(part["xi"], part["low"], part["high"], color=colour, alpha=0.3, linewidth=0)
    last = rows[rows["M"] == samples[-1]]
    (drawn[r"bias, $M \to \infty$"],) = axes.plot(last["xi"], last["bias"], "k--", linewidth=0.9)
    (drawn["normalised"],) = axes.plot(last["xi"], last["normalised"], ":", color=FILTER)
    axes.set(xscale="log", yscale="log", xlabel=r"$\xi$", ylabel="root mean square error", ylim=(2e-3, 5))
    return drawn


def ends_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the exact target and the filter's expectation near x = 0, where the data end."""
    widths = sorted(rows["xi"].unique())
    exact = rows[rows["xi"] == widths[0]]
    axes.plot(exact["x"], exact["target"], color="0.6", label=r"$\sin(137 x)$")
    for width, style in zip(widths, ("-", "--"), strict=True):
        part = rows[rows["xi"] == width]
        axes.plot(part["x"], part["filtered"], style, color=FILTER, label=rf"filtered, $\xi$ = {width:g}")
    axes.set(xlabel="x", ylabel="expected target", ylim=(-1.1, 2.1), yticks=(-1, 0, 1), xticks=(0, 0.05, 0.1))
    axes.legend(loc="upper left", fontsize=common.SMALL)


def training_panel(axes: Axes, place: Place) -> dict[str, Line2D]:
    """Draw the homotopy's loss on the target's test set with either deformation; return the medians' lines by name.

    The loss on its training set is measured differently: while theta moves where an epoch trains on it, else after it.
    """
    drawn = {}
    results = experiment("appendix_c", place)
    for result in results:
        label, colour = TRAINED[result.config.task.deformation]
        median, low, high = result.band("test_loss")
        seen = np.isfinite(median)
        band = [running(values[seen], SMOOTH) for values in (median, low, high)]
        axes.fill_between(result.epochs[seen], band[1], band[2], color=colour, alpha=0.18, linewidth=0)
        (drawn[label],) = axes.plot(result.epochs[seen], band[0], color=colour)
        axes.set_ylabel(f"test loss on the target\n({smoothed(result)})")
    axes.set_yscale("log")
    axes.set_xlabel(f"epochs ({count(results)})")
    return drawn


def draw(place: Place) -> list[Path]:
    """Draw the target's error, its end at x = 0, and training."""
    figure, axes = common.subplots(columns=3, height=2.4, width_ratios=(1.3, 1, 1))
    errors = error_panel(axes[0], read(place, "theory/filter_error.csv", "theory"))
    ends_panel(axes[1], read(place, "theory/filter_ends.csv", "theory"))
    trained = training_panel(axes[2], place)
    titles = ("(a) the filter's error", "(b) target near x = 0", "(c) the homotopy")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
    names.at_lines(figure, [(axes[0], errors), (axes[2], trained)])
    return common.save(figure, place.figures / "figc")
