"""Every figure by name. A figure reads saved results; where they are missing it says how to make them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from homotopy.figures import curves, heatmap, map, omega
from homotopy.figures.loading import Place

FIGURES: dict[str, Callable[[Place], list[Path]]] = {
    "fig1": partial(curves.draw, "fig1"),
    "fig2a": omega.draw,
    "fig2b": partial(curves.draw, "fig2b"),
    "fig8": partial(curves.draw, "fig8"),
    "omega_gamma": heatmap.draw,
    "map": map.draw,
}
