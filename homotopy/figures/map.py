"""The map: every plain setting of what the paper leaves unstated, and how the methods end in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from homotopy.figures import common, ends
from homotopy.results.library import Library, Place, Result, count, missing
from homotopy.results.methods import LABELS, METHODS
from homotopy.results.unstated import INITIALISATIONS, OMEGAS, Setting, by_setting

_QUIET: dict[str, Any] = {"fontsize": common.SMALL, "color": common.GREY}


def panel(axes: Axes, settings: list[dict[float, dict[str, Result]]], omega: float) -> None:
    """Draw every seed's settled loss on one of the tasks, a band for each setting, and a bar at each median."""
    for i, by_omega in enumerate(settings):
        if i % 2 == 0:
            axes.axhspan(i - 0.5, i + 0.5, color="0.94", linewidth=0, zorder=0)
        if omega not in by_omega:
            axes.text(0.5, i, "not run", transform=axes.get_yaxis_transform(), ha="center", va="center", **_QUIET)
            continue
        for method, shift in zip(METHODS, (-0.27, 0, 0.27), strict=True):
            losses = by_omega[omega][method].settled("target_loss")
            ends.dots(axes, losses, np.full(len(losses), i + shift), method, LABELS[method])
            axes.vlines(np.median(losses), i + shift - 0.15, i + shift + 0.15, color="black", linewidth=0.9, zorder=3)
    axes.set(xscale="log", ylim=(len(settings) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)


def ordered(found: list[Result]) -> dict[Setting, dict[float, dict[str, Result]]]:
    """Sort as `by_setting`, an initialisation's settings side by side, in the order in which they come."""
    settings = by_setting(found)
    inits = list(dict.fromkeys(setting.init for setting in settings))
    return dict(sorted(settings.items(), key=lambda item: (inits.index(item[0].init), item[0][1:])))


def draw(place: Place) -> list[Path]:
    """Draw the settled losses of every setting.

    Raises ResultError if no setting was run at any omega with all methods.
    """
    found = Library(place).results("map")
    settings = ordered(found)
    if not any(settings.values()):
        raise missing("map", place, found)
    omegas = [omega for omega in OMEGAS if any(omega in by_omega for by_omega in settings.values())]
    height = 0.8 + 0.26 * len(settings)
    figure, axes = common.subplots(columns=len(omegas), height=height, sharey=True, sharex=True)
    for ax, omega in zip(axes, omegas, strict=True):
        panel(ax, list(settings.values()), omega)
        there = [r for r in found if r.config.task.omega == omega and r.seeds]
        ax.set_title(rf"$\omega = {omega:g}$ rad, {count(there)}")
    axes[0].set_yticks(range(len(settings)), [_name(setting) for setting in settings], fontsize=common.SMALL)
    figure.supxlabel("settled train loss on the target: every seed, and bars at the medians", fontsize=8)
    common.legend(figure, axes[0])
    return common.save(figure, place.figures / "map")


def _name(setting: Setting) -> str:
    return rf"{INITIALISATIONS[setting.init]}, $\sigma$ = {setting.noise:g}, batch {setting.batch_size}"
