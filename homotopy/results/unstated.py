"""Plain choices of what the paper leaves unstated: the experiment `map` runs every method with each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from homotopy.config import Config
from homotopy.results.library import Result
from homotopy.results.methods import METHODS

OMEGAS = (74.0, 137.0)
INITIALISATIONS = {"pytorch_default": "PyTorch", "glorot_zero_bias": "Glorot", "he_zero_bias": "He"}  # of the map


class Setting(NamedTuple):
    """One choice of what the paper leaves unstated."""

    init: str
    noise: float
    batch_size: int


def setting(of: Config) -> Setting:
    """Return a configuration's setting."""
    return Setting(of.model.init, of.task.noise, of.batch_size)


def by_setting(found: Sequence[Result]) -> dict[Setting, dict[float, dict[str, Result]]]:
    """Sort the map's results: setting -> omega -> method -> result, each omega where all three methods were run."""
    settings: dict[Setting, dict[float, dict[str, Result]]] = {}
    for r in found:
        by_omega = settings.setdefault(setting(r.config), {})
        if not r.curves.empty:
            by_omega.setdefault(r.config.task.omega, {})[r.config.method.name] = r
    return {
        key: {omega: methods for omega, methods in by_omega.items() if len(methods) == len(METHODS)}
        for key, by_omega in settings.items()
    }
