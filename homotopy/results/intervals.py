"""Ratios over seeds with their intervals, as rules.yaml defines them.

Losses or epochs come as arrays with one value per seed along the last axis: ours (values, n), theirs (opponents,
values, n), where several values are pooled. The same index is the same seed everywhere, as methods are paired. Infinite
ones (a diverged run, a threshold never reached) count as worse than all others.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from homotopy.results import statistics
from homotopy.streams import Purpose, generator

Array = np.ndarray

ENUMERATED = 10  # seeds up to which all resamples are enumerated
DRAWS = 100_000  # resamples drawn above
_BATCH = 10_000  # drawn at a time, so that memory stays small
_LARGE = 1e300  # stands in for an infinite logarithm, with which means cannot be taken


class Interval(NamedTuple):
    """An estimate from n seeds and its two-sided interval."""

    value: float
    low: float
    high: float
    n: int


class Resamples(NamedTuple):
    """How often each seed is in each resample, counts (n, resamples), and each resample's probability (resamples,)."""

    counts: Array
    weights: Array


@lru_cache(maxsize=8)
def resamples(n: int) -> Resamples:
    """Return all resamples of up to ten seeds (as multisets), 100,000 draws of more, always the same for the same n."""
    if n <= ENUMERATED:
        drawn = np.array(list(combinations_with_replacement(range(n), n)))
        counts = _counts(drawn, n)
        weights = np.exp(special.gammaln(n + 1) - special.gammaln(counts + 1.0).sum(axis=0) - n * np.log(n))
        return Resamples(counts, weights)
    stream = generator(0, Purpose.BOOTSTRAP, n)
    batches = [_counts(stream.integers(n, size=(_BATCH, n)), n) for _ in range(DRAWS // _BATCH)]
    return Resamples(np.concatenate(batches, axis=1), np.full(DRAWS, 1 / DRAWS))


def _counts(drawn: Array, n: int) -> Array:
    """Count the seeds in resamples (resamples, n): (n, resamples), in the smallest type that holds them."""
    flat = drawn + n * np.arange(len(drawn))[:, None]
    counts = np.bincount(flat.ravel(), minlength=n * len(drawn)).reshape(len(drawn), n)
    return np.ascontiguousarray(counts.T.astype(np.min_scalar_type(n)))


def medians(samples: Array, counts: Array) -> Array:
    """Return the median of each sample (..., n) in each resample (n, resamples): (..., resamples).

    The k-th smallest value of a resample has as many of the sorted values before it as have fewer than k draws among
    them and all smaller ones: additions of whole rows, which take a hundredth of the time of sorting every resample.
    """
    if samples.ndim > 1:
        return np.stack([medians(sample, counts) for sample in samples])
    n = len(samples)
    order = np.argsort(samples, kind="stable")
    seen, lower, upper = (np.zeros(counts.shape[1], counts.dtype) for _ in range(3))
    for seed in order:
        seen += counts[seed]
        lower += seen < (n + 1) // 2
        upper += seen < n // 2 + 1
    ascending = samples[order]
    return (ascending[lower] + ascending[upper]) / 2


def ratio(ours: Array, theirs: Array) -> Array:
    """Return the ratio of the best opponent's medians (opponents, values, ...) to ours (values, ...): (...).

    Of several values it is the geometric mean of their ratios. It is 1 where an infinite ratio meets a zero: neither is
    then better.
    """
    each = statistics.ratio(theirs.min(axis=0), ours)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.exp(np.log(each).mean(axis=0)) if len(each) > 1 else each[0]
    return np.where(np.isnan(mean), 1.0, mean)


def ratio_of_medians(ours: Array, theirs: Array, level: float = 0.95) -> Interval:
    """Return the ratio of the medians with its percentile interval over resampled seeds."""
    drawn, weights = resamples(ours.shape[-1])
    found = ratio(medians(ours, drawn), medians(theirs, drawn))
    value = ratio(statistics.median(ours), statistics.median(theirs))
    return Interval(float(value), *percentiles(found, weights, level), ours.shape[-1])


def percentiles(values: Array, weights: Array, level: float) -> tuple[float, float]:
    """Return the ends of the narrowest interval with at most (1 - level)/2 of the weight beyond either of them."""
    order = np.argsort(values)
    ascending, tail = values[order], (1 - level) / 2
    low = np.searchsorted(np.cumsum(weights[order]), tail, side="right")
    high = np.searchsorted(np.cumsum(weights[order[::-1]]), tail, side="right")
    return float(ascending[low]), float(ascending[::-1][high])


def log_ratios(ours: Array, theirs: Array) -> Array:
    """Return each seed's log ratio to each opponent, the mean over the values: (opponents, n)."""
    with np.errstate(divide="ignore"):
        return np.clip(np.log(statistics.ratio(theirs, ours)), -_LARGE, _LARGE).mean(axis=1)


def hodges_lehmann(ours: Array, theirs: Array, level: float = 0.95) -> Interval:
    """Return the Hodges-Lehmann estimate of the ratio seed by seed with the interval of the signed ranks.

    Both are of the median over pairs of seeds of their mean log ratio; the interval is exact where the log ratios are
    distributed symmetrically. A ratio that is infinite or 0 enters as a log ratio beyond all others, so that three in
    ten of one sign make the estimate infinite or 0, and one of each sign together counts as a ratio of 1.

    With several opponents each has an estimate and an interval, at a level raised so that all hold together
    (Bonferroni); returned are the least estimate, the least lower end and the least upper end.
    """
    each = 1 - (1 - level) / len(theirs)
    found = [signed_rank_interval(logs, each) for logs in log_ratios(ours, theirs)]
    with np.errstate(over="ignore"):
        value, low, high = np.exp(np.min(found, axis=0)).tolist()
    return Interval(value, low, high, ours.shape[-1])


def signed_rank_interval(differences: Array, level: float) -> tuple[float, float, float]:
    """Return the median over all pairs of their mean, and the interval of Wilcoxon's signed ranks around it.

    With d of the differences' n (n + 1)/2 means below it, a shift is tested by the statistic T = d: the interval leaves
    out at each end as many means as T may have at most in a tail of (1 - level)/2 (Hollander and Wolfe, section 3.3).
    It is the whole line where n is too small for the level.
    """
    first, second = np.triu_indices(len(differences))
    means = np.sort((differences[first] + differences[second]) / 2)
    left_out = np.searchsorted(np.cumsum(signed_ranks(len(differences))), (1 - level) / 2, side="right")
    ends = (means[left_out - 1], means[-left_out]) if left_out else (-np.inf, np.inf)
    return float(np.median(means)), float(ends[0]), float(ends[1])


@lru_cache(maxsize=8)
def signed_ranks(n: int) -> Array:
    """Return the distribution of Wilcoxon's statistic of n differences around 0, (n (n + 1)/2 + 1,); SciPy hides it."""
    found = np.ones(1)
    for rank in range(1, n + 1):  # its sign is a fair coin: the rank is added or not
        found = (np.pad(found, (0, rank)) + np.pad(found, (rank, 0))) / 2
    return found


def share(holds: Array, level: float = 0.95) -> Interval:
    """Return the share of seeds (n,) with its exact binomial (Clopper-Pearson) interval."""
    found = stats.binomtest(int(holds.sum()), len(holds))
    low, high = found.proportion_ci(level)
    return Interval(float(holds.mean()), float(low), float(high), len(holds))
