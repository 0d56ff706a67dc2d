"""Every figure by name. A figure reads saved results; where they are missing it says how to make them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from homotopy.figures import (
    fair,
    fig1,
    fig2a,
    fig3,
    fig4,
    fig5,
    fig6,
    fig7,
    fig9,
    figc,
    learning,
    limits,
    map,
    omega_gamma,
    today,
    why,
)
from homotopy.results.library import Place

FIGURES: dict[str, Callable[[Place], list[Path]]] = {
    "fig1": partial(fig1.draw, "fig1"),
    "fig2a": fig2a.draw,
    "fig2b": partial(fig1.draw, "fig2b"),
    "fig3a": partial(fig3.draw, "fig3a"),
    "fig3b": partial(fig3.draw, "fig3b"),
    "fig4": fig4.draw,
    "fig5": fig5.draw,
    "fig6": fig6.draw,
    "fig7": fig7.draw,
    "fig8": partial(fig1.draw, "fig8"),
    "fig9": fig9.draw,
    "figc": figc.draw,
    "omega_gamma": omega_gamma.draw,
    "map": map.draw,
    "fair": fair.draw,
    "learning": learning.draw,
    "limits": limits.draw,
    "today": today.draw,
    "why": why.draw,
}
