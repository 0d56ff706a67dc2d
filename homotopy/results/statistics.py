"""Statistics of runs. A diverged run has infinite loss and so ranks worst; it always counts.

Statistics take one value per seed along the last axis, (..., n), and return (...): what is computed on the sample is
computed on all its resamples at once. Only quantiles are taken over the first axis, (n, ...), as curves have the seeds
there. Methods are paired: the same index is the same seed in all arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from homotopy.streams import Purpose, generator

Array = np.ndarray

RESAMPLES = 10_000
_LARGE = 1e300  # stands in for infinity, with which quantiles cannot interpolate


class Interval(NamedTuple):
    """An estimate from n seeds and its two-sided interval."""

    value: float
    low: float
    high: float
    n: int


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


def settled(epochs: Array, curves: Array, last: int = 100) -> Array:
    """Return the median of each curve (..., points) over its last epochs, (...), of the recorded ones (points,).

    It flickers less than the loss of the last epoch alone.
    """
    return np.median(curves[..., epochs > epochs[-1] - settling(epochs[-1], last)], axis=-1)


def settling(epochs: float, last: int = 100) -> float:
    """Return how many epochs at the end of a run of `epochs` count for its settled loss: at most a fifth of them."""
    return min(last, epochs / 5)


def ratio(over: Array, under: Array) -> Array:
    """over/under, elementwise and not below 0; 1 where both are 0 or both infinite, as neither is then better."""
    over, under = np.broadcast_arrays(np.asarray(over, float), np.asarray(under, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(over == under, 1.0, over / under)


def ratio_of_medians(over: Array, under: Array) -> Array:
    """median(over)/median(under), both (..., n)."""
    return ratio(median(over), median(under))


def first_epoch(epochs: Array, curves: Array, threshold: float) -> Array:
    """Return the first of the recorded epochs (points,) at which each curve (..., points) is at most `threshold`.

    Infinity where it never is.
    """
    reached = curves <= threshold
    return np.where(reached.any(axis=-1), epochs[reached.argmax(axis=-1)], np.inf)


def ranks(values: Array) -> Array:
    """Rank the values along the last axis, (..., m) -> (..., m), around 0; equal ones share their mean rank."""
    from scipy import stats  # as in signed_rank

    return stats.rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2


def rank_correlation(x: Array, y: Array) -> Array:
    """Spearman's coefficient of x (m,) and each row of y (..., m); 0 where all values of a row are equal."""
    x, y = ranks(x), ranks(y)
    norms = np.sqrt((x**2).sum() * (y**2).sum(axis=-1))
    return np.where(norms > 0, (x * y).sum(axis=-1) / np.where(norms > 0, norms, 1), 0.0)


def resampled(n: int, resamples: int = RESAMPLES) -> Array:
    """Draw n seeds with replacement, `resamples` times: indices (resamples, n), always the same for the same n."""
    return generator(0, Purpose.BOOTSTRAP, n).integers(n, size=(resamples, n))


def bootstrap(statistic: Callable[..., Array], *samples: Array, level: float = 0.95) -> Interval:
    """Estimate a statistic of paired samples, each (n,), with its percentile interval over resampled seeds."""
    n = len(samples[0])
    draws = resampled(n)
    found = statistic(*(sample[draws] for sample in samples))
    low, high = (float(quantile(found, q)) for q in ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(statistic(*samples)), low, high, n)


def level_of_range(n: int) -> float:
    """The probability that the median of a continuous distribution lies between the least and largest of n values.

    No interval made of the values alone can promise more: 0.94 with 5 seeds.
    """
    return 1 - 2.0 ** (1 - n)


def probability_of_improvement(ours: Array, theirs: Array) -> Array:
    """The share of seeds with ours below theirs, both (..., n); an equal pair counts one half."""
    return (ours < theirs).mean(axis=-1) + (ours == theirs).mean(axis=-1) / 2


def signed_rank(ours: Array, theirs: Array) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test on the logarithms of paired losses, both (n,) and positive.

    Logarithms, since losses spread over orders of magnitude; pairs that are equal say nothing and are left out. A
    seed that diverged in one method only has the largest difference of all.
    """
    from scipy import stats  # here, since importing it takes longer than all else at the start of a run

    with np.errstate(divide="ignore"):
        differences = np.log(ratio(ours, theirs))
    differences = np.clip(differences[differences != 0], -_LARGE, _LARGE)
    return float(stats.wilcoxon(differences).pvalue) if len(differences) else 1.0


def holm(p_values: Array) -> Array:
    """Holm's step-down correction of m p-values, (m,) -> (m,): all of them hold together at the level compared with."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(factors * p_values[order]), 1.0)
    found = np.empty_like(adjusted)
    found[order] = adjusted
    return found
