"""Deformations: the map of the data at lam, with lam = 0 the source task and lam = 1 the target task.

Eq. 14, 16 and 20 of the submission run backwards (at lam = 0 they give the target); Algorithm 1 and Eq. 17, 18 and 21
need the direction used here.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble


class Deformation(Protocol):
    """A source task carried to a target task, with the data of every seed of an ensemble."""

    provenance: list[dict]  # of each data set read: the md5 of its files, and whether they are the official ones

    def source(self) -> Any:
        """Return the source task's problem."""

    def at(self, lam: float) -> Any:
        """Return the problem H(., lam)."""

    def target(self) -> Any:
        """Return the target task's problem."""

    def metrics(self, ensemble: Ensemble) -> dict[str, Tensor]:
        """Return what is measured at a logged epoch, each float64 (S,); `test_loss` where there are test data."""


def linear(source: Tensor, target: Tensor, lam: float | Tensor) -> Tensor:
    """(1 - lam) source + lam target, Eq. 14 in the direction of Eq. 17; any shape, which that of lam broadcasts to."""
    return (1 - lam) * source + lam * target


def frequency_shift(x: Tensor, source_omega: float, omega: float, lam: float | Tensor) -> Tensor:
    """Return what turns Eq. 14's sine values into those of sin(w x), w = (1 - lam) source_omega + lam omega.

    x is of any shape, which that of lam broadcasts to. It is exactly 0 at lam = 0 and 1, so that source and target
    stay what they are, noise included.
    """
    dtype, x = x.dtype, x.double()
    lam = lam.to(x.device, torch.float64) if isinstance(lam, Tensor) else lam
    mixed = linear(torch.sin(source_omega * x), torch.sin(omega * x), lam)
    moved = torch.sin(((1 - lam) * source_omega + lam * omega) * x)
    return (moved - mixed).to(dtype)


def filter_targets(x_source: Tensor, x_target: Tensor, y_target: Tensor, samples: Tensor, width: float) -> Tensor:
    """Approximate the target task's values at the source's inputs with a Gaussian filter (Eq. 21-22, at lam = 1).

    x_source (S, N, 1) are the places, x_target and y_target (S, T, 1) the target task's data, samples (S, M) the
    indices of the M of them that each seed's filter draws, width > 0 the filter's standard deviation xi.
    Returns (S, N, 1). The weights are the paper's, a density not divided by its sum: near the ends of the
    inputs' support a part of the filter's mass lies outside and the values shrink towards zero.
    """
    x = x_target.gather(1, samples.unsqueeze(-1)).transpose(1, 2)
    y = y_target.gather(1, samples.unsqueeze(-1))
    filtered = torch.empty_like(x_source)
    for seed in range(len(x_source)):  # all seeds' weights at once, (S, N, M), would not fit into memory
        weights = torch.exp(-((x_source[seed] - x[seed]) ** 2) / (2 * width**2))
        filtered[seed] = weights @ y[seed] / (math.sqrt(2 * math.pi) * width * samples.shape[1])
    return filtered
