"""Reproduction of "Transferring Optimality Across Data Distributions via Homotopy Methods" (ICLR 2020).

`homotopy.fit` carries a network from one function to another, `homotopy.run` trains what scripts/train.py would, and
`homotopy.load` opens a result folder: see `homotopy.api`, which is imported when one of them is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from homotopy.api import SGD, Adam, Runs, fit, load, run

__all__ = ["SGD", "Adam", "Runs", "fit", "load", "run"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from homotopy import api  # here: it brings torch and Hydra, seconds that a script may not need

    return getattr(api, name)
