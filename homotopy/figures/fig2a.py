"""Figure 2a: train loss at the end against omega: every seed, and the medians of the methods joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from homotopy.figures import common, ends, looks, names
from homotopy.results.library import Place, span, tasks
from homotopy.results.methods import LABELS, METHODS
from homotopy.results.statistics import settling

_APART = 0.22  # between the methods' columns at an omega, and _WIDE is a column: shares of the omegas' distance
_WIDE = 0.16


def draw(place: Place) -> list[Path]:
    """Draw every seed's settled loss on the target at every omega that has results of all methods."""
    groups, note = tasks("fig2a", place)
    found = [each for group in groups for each in group]
    omegas = np.array([group[0].config.task.omega for group in groups])
    distance = float(np.diff(omegas).min()) if len(omegas) > 1 else 1.0
    figure, (axes,) = common.subplots(height=2.7)
    drawn = {}
    by_method = [{each.config.method.name: each for each in group} for group in groups]
    for i, method in enumerate(method for method in METHODS if method in by_method[0]):
        losses = [group[method].settled("target_loss") for group in by_method]
        columns = omegas + (i - 1) * _APART * distance
        for x, values in zip(columns, losses, strict=True):
            ends.dots(axes, x + distance * ends.spread(len(values), _WIDE), values, method)
        medians = np.array([np.median(values) for values in losses])
        look = {"marker": looks.MARKERS[method], "markersize": 4.5, "markeredgecolor": "white", "markeredgewidth": 0.5}
        drawn[LABELS[method]] = common.median(axes, columns, medians, method, **look)
    counts = [span([found.seeds for found in group]) for group in groups]
    axes.set_xticks(omegas, [f"{omega:g}\nn = {n}" for omega, n in zip(omegas, counts, strict=True)])
    axes.grid(axis="x", visible=False)
    floor = found[0].config.task.noise ** 2
    axes.axhline(floor, color=common.GREY, linewidth=0.7, linestyle="--")
    where: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": common.SMALL, "color": common.GREY}
    axes.text(0.995, floor, rf"the noise's variance, {_power(floor)}", ha="right", va="bottom", **where)
    last = settling(found[0].config.epochs)
    axes.set(xlabel=r"$\omega$ (rad)", yscale="log")
    axes.set_ylabel(f"train loss on the target,\nmedian of the last {last:g} epochs")
    axes.set_title(f"after {found[0].config.epochs:,} epochs")
    common.caption(figure, note)
    names.at_lines(figure, [(axes, drawn)])
    return common.save(figure, place.figures / "fig2a")


def _power(value: float) -> str:
    """Write a number as mathematics do, with one digit."""
    digit, exponent = f"{value:.0e}".split("e")
    return (rf"${digit} \times " if digit != "1" else "$") + f"10^{{{int(exponent)}}}$"
