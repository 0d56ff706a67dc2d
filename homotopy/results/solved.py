"""Who solves what: how many seeds of a result end below a loss, and what an arm of experiment=today changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from homotopy.results import intervals
from homotopy.results.library import Result


def arm(found: Result) -> str:
    """Return what an arm changes, in words."""
    use = found.config
    changed = {
        "standardised input": use.task.features == "standardised",
        "Fourier features": use.task.features == "fourier",
        "sine activations and annealing": use.model.name == "siren" and use.optimizer.decay == "cosine",
        "sine activations": use.model.name == "siren",
        f"step size {use.optimizer.lr:g}": use.optimizer.lr != 0.001 and use.model.name != "siren",
        "warm-up of the step size": use.optimizer.decay == "warmup",
    }
    return next((name for name, applies in changed.items() if applies), "default")


def table(results: Sequence[Result], solved: float) -> pd.DataFrame:
    """Return omega, arm, method, n, how many of the n seeds are `solved` (end below it), and their median loss.

    And the `share` that is solved, with its exact 95 % interval from `low` to `high`. All losses are settled.
    """
    rows = []
    for found in results:
        losses, use = found.settled("target_loss"), found.config
        solves = losses < solved
        share, low, high, n = intervals.share(solves)
        ended = (int(solves.sum()), float(np.median(losses)), share, low, high)
        rows.append((use.task.omega, arm(found), use.method.name, n, *ended))
    return pd.DataFrame(rows, columns=["omega", "arm", "method", "n", "solved", "loss", "share", "low", "high"])
