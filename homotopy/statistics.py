"""Statistics of runs. A diverged run has infinite loss and so ranks worst; it always counts."""

from __future__ import annotations

import numpy as np
import pandas as pd

_LARGE = 1e300  # stands in for infinity, with which quantiles cannot interpolate


def quantile(values: np.ndarray, q: float) -> np.ndarray:
    """Return the q-quantile over axis 0 of values (n, ...), infinite where it falls on a diverged run."""
    found = np.quantile(np.minimum(values, _LARGE), q, axis=0)
    return np.where(found > _LARGE / 1e6, np.inf, found)


def median_curves(runs: pd.DataFrame, metrics: list[str]) -> pd.DataFrame:
    """Summarise runs (columns seed, epoch, metrics) by epoch and metric: n, median, q25, q75."""
    parts = []
    for metric in metrics:
        table = runs.pivot(index="seed", columns="epoch", values=metric).to_numpy()
        summary = {"n": len(table), "median": quantile(table, 0.5)}
        summary |= {"q25": quantile(table, 0.25), "q75": quantile(table, 0.75)}
        parts.append(pd.DataFrame({"epoch": sorted(runs["epoch"].unique()), "metric": metric, **summary}))
    return pd.concat(parts, ignore_index=True)
