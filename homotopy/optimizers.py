"""The solvers' update rules on stacked parameters, and the decay of their step size.

Both rules are PyTorch's own, run on the one tensor that holds all seeds, so that their state is theirs to keep.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Adam:
    """Adam with the step size of Section 5 and PyTorch's defaults for the rest."""

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def build(self, theta: Tensor) -> torch.optim.Optimizer:
        """Return the optimizer of `theta`, any shape; one fused kernel updates every seed."""
        return torch.optim.Adam([theta], self.lr, (self.beta1, self.beta2), self.eps, fused=True)


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with heavy-ball momentum."""

    lr: float = 1e-2
    momentum: float = 0.9

    def build(self, theta: Tensor) -> torch.optim.Optimizer:
        """Return the optimizer of `theta`, any shape; one fused kernel updates every seed."""
        return torch.optim.SGD([theta], self.lr, self.momentum, fused=True)


def constant(lr: float, epoch: int, epochs: int) -> float:
    """The same step size in every epoch."""
    return lr


def cosine(lr: float, epoch: int, epochs: int) -> float:
    """Cosine annealing over the run's whole budget (Fig. 2b): lr in epoch 1 down to nearly 0 in the last."""
    return 0.5 * lr * (1 + math.cos(math.pi * (epoch - 1) / epochs))


DECAYS = {f.__name__: f for f in (constant, cosine)}
