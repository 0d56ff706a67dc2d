"""The map's rule: which setting of what the paper leaves unstated becomes the default.

Written down before any of the runs that it judges. A setting is an initialisation, a noise level and a batch size. The
paper states that the homotopy's median train loss ends below random initialisation's and below warm start's, at every
omega: with omega 74 and 137 these are four comparisons. Each gives points:

- 1 if the baseline's final median loss on the target is at least 1.25 times the homotopy's;
- 1/2 if the two end alike (within a factor of 1.25) and the homotopy's median curve is below a threshold, twice the
  larger of the two final medians, in fewer epochs;
- 0 otherwise, and where a comparison was not run.

The setting with most points wins. Among equals the one whose advantage is largest: the greatest over omega of the
homotopy's smaller ratio to the two baselines, counted up to 100, the paper's "up to two orders of magnitude". Whatever
wins is a reconstruction of unstated settings, not what the authors are known to have used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from homotopy.results.methods import BASELINES

ALIKE = 1.25
OMEGAS = (74.0, 137.0)
LARGEST_ADVANTAGE = 100.0


class MedianCurve(NamedTuple):
    """A method's median loss on the target against epochs, both (points,)."""

    epochs: np.ndarray
    loss: np.ndarray


Curves = Mapping[str, MedianCurve]  # by method


def epochs_to(curve: MedianCurve, threshold: float) -> float:
    """Return the first recorded epoch at which the curve is below the threshold, infinity if none is."""
    below = curve.loss < threshold
    return float(curve.epochs[below.argmax()]) if below.any() else np.inf


def points(homotopy: MedianCurve, baseline: MedianCurve) -> float:
    """Return 1, 1/2 or 0 for one comparison, by the rule above."""
    ours, theirs = float(homotopy.loss[-1]), float(baseline.loss[-1])
    if theirs >= ALIKE * ours:
        return 1.0
    if theirs * ALIKE <= ours:
        return 0.0
    threshold = 2 * max(ours, theirs)
    return 0.5 if epochs_to(homotopy, threshold) < epochs_to(baseline, threshold) else 0.0


def score(by_omega: Mapping[float, Curves]) -> tuple[float, float]:
    """Return a setting's points (0 to 4) and its advantage (0 if nothing was run)."""
    run = [by_omega[omega] for omega in OMEGAS if omega in by_omega]
    total = sum(points(curves["homotopy"], curves[name]) for curves in run for name in BASELINES)
    ratios = [min(curves[name].loss[-1] / curves["homotopy"].loss[-1] for name in BASELINES) for curves in run]
    return total, float(min(max(ratios, default=0.0), LARGEST_ADVANTAGE))


def winner(scores: Sequence[tuple[float, float]]) -> int:
    """Return the index of the winning setting; of equal ones the first."""
    return max(range(len(scores)), key=lambda i: scores[i])
