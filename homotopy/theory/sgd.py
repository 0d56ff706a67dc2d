"""SGD with a constant step (Eq. 24), thousands of repetitions side by side, and how its means compare with bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray
Rows = Iterable[dict[str, Any]]  # of a table of results; a row has its values by column
Gradient = Callable[[Array, np.random.Generator], Array]  # (R, d) -> (R, d), unbiased

Z = 2.5758293035489  # the normal distribution's 99.5 % quantile


class Mean(NamedTuple):
    """A mean over repetitions with its two-sided 99 % interval."""

    value: float
    low: float
    high: float


def exactly(value: float) -> Mean:
    """Return a number that is known without an interval."""
    return Mean(value, value, value)


def mean_with_interval(values: Array) -> Mean:
    """Estimate an expectation from independent values (R,): the mean, plus and minus 2.58 standard errors."""
    error = Z * float(values.std(ddof=1)) / np.sqrt(len(values))
    mean = float(values.mean())
    return Mean(mean, mean - error, mean + error)


def square_norm(vectors: Array) -> Array:
    """Squared Euclidean norm over the last axis."""
    return np.einsum("...i,...i->...", vectors, vectors)


def iterates(theta: Array, gradient: Gradient, alpha: float, rng: np.random.Generator) -> Iterator[tuple[Array, Array]]:
    """Yield (theta_k, g_k) for k = 0, 1, ..., both (R, d); theta_{k+1} = theta_k - alpha g_k. Never ends."""
    while True:
        g = gradient(theta, rng)
        yield theta, g
        theta = theta - alpha * g


def run(theta: Array, gradient: Gradient, alpha: float, k: int, rng: np.random.Generator) -> Array:
    """Return theta after k iterations, (R, d)."""
    for _ in range(k):
        theta = theta - alpha * gradient(theta, rng)
    return theta


def verdict(bound: float, measured: Mean) -> str:
    """Say if a quantity keeps to its bound: "yes" or "no" if the whole interval says so, else "undecided".

    A relative 1e-9 is allowed for rounding, as where a bound is an equality and the quantity is known exactly.
    """
    limit = bound * (1 + 1e-9)
    if measured.high <= limit:
        return "yes"
    return "no" if measured.low > limit else "undecided"


def compared(bound: float, measured: Mean) -> dict[str, Any]:
    """Return the columns in which a row of results compares a measured quantity with its bound."""
    return {
        "bound": bound, "measured": measured.value, "low": measured.low, "high": measured.high,
        "ratio": measured.value / bound, "holds": verdict(bound, measured),
    }  # fmt: skip
