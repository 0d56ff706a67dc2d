"""Statistics that describe runs. A diverged run has infinite loss and so ranks worst; it always counts.

Statistics take one value per seed along the last axis, (..., n), and return (...). Only quantiles are taken over the
first axis, (n, ...), as curves have the seeds there. Intervals are in `homotopy.results.intervals`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

Array = np.ndarray

_LARGE = 1e300  # stands in for infinity, with which quantiles cannot interpolate


def quantile(values: Array, q: float) -> Array:
    """Return the q-quantile over axis 0 of values (n, ...), infinite where it falls on a diverged run."""
    found = np.quantile(np.minimum(values, _LARGE), q, axis=0)
    return np.where(found > _LARGE / 1e6, np.inf, found)


def band(values: Array) -> tuple[Array, Array, Array]:
    """Return median, lower and upper quartile over axis 0 of values (n, ...)."""
    return quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75)


def median_curves(runs: pd.DataFrame, metrics: list[str]) -> pd.DataFrame:
    """Summarise runs (columns seed, epoch, metrics) by epoch and metric: n, median, q25, q75."""
    parts = []
    for metric in metrics:
        table = runs.pivot(index="seed", columns="epoch", values=metric).to_numpy()
        summary = {"n": len(table), **dict(zip(("median", "q25", "q75"), band(table), strict=True))}
        parts.append(pd.DataFrame({"epoch": sorted(runs["epoch"].unique()), "metric": metric, **summary}))
    return pd.concat(parts, ignore_index=True)


def median(values: Array) -> Array:
    """Median over the seeds, (..., n) -> (...); infinite where it falls on a diverged run."""
    return np.median(values, axis=-1)


def settled(epochs: Array, curves: Array, last: float | None = None) -> Array:
    """Return the median of each curve (..., points) over its last epochs, (...), of the recorded ones (points,).

    It flickers less than the loss of the last epoch alone. Unless `last` says how many epochs count, `settling` does.
    """
    last = settling(epochs[-1]) if last is None else last
    return np.median(curves[..., epochs > epochs[-1] - last], axis=-1)


def settled_curves(epochs: Array, curves: Array, last: float | None = None) -> Array:
    """Return the settled loss at every recorded epoch (points,), (..., points) -> (..., points)."""
    last = settling(epochs[-1]) if last is None else last
    return np.stack([settled(epochs[:i], curves[..., :i], last) for i in range(1, len(epochs) + 1)], axis=-1)


def area(curves: Array) -> Array:
    """Return the geometric mean of each curve of losses (..., points), (...): the exponential of its mean logarithm.

    Infinite where a loss is infinite, even beside one that is 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.exp(np.log(curves).mean(axis=-1))
    return np.where(np.isinf(curves).any(axis=-1), np.inf, mean)


def settling(epochs: float, last: int = 100) -> float:
    """Return how many epochs at the end of a run of `epochs` count for its settled loss: at most a fifth of them."""
    return min(last, epochs / 5)


def ratio(over: Array, under: Array) -> Array:
    """over/under, elementwise and not below 0; 1 where both are 0 or both infinite, as neither is then better."""
    over, under = np.broadcast_arrays(np.asarray(over, float), np.asarray(under, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(over == under, 1.0, over / under)


def first_epoch(epochs: Array, curves: Array, threshold: float) -> Array:
    """Return the first of the recorded epochs (points,) at which each curve (..., points) is at most `threshold`.

    Infinity where it never is.
    """
    reached = curves <= threshold
    return np.where(reached.any(axis=-1), epochs[reached.argmax(axis=-1)], np.inf)
