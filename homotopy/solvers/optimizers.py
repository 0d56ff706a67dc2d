"""The solvers' update rules on stacked parameters, and the decay of their step size.

Both rules are PyTorch's own, run on the one tensor that holds all seeds, so that their state is theirs to keep.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

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


def warmup(lr: float, epoch: int, epochs: int) -> float:
    """A step size that grows linearly to lr over the first twentieth of the run's epochs, and stays."""
    return lr * min(1.0, 20 * epoch / epochs)


DECAYS = {f.__name__: f for f in (constant, cosine, warmup)}


class Moments(NamedTuple):
    """What the update rule remembers, by PyTorch's names: tensors (S, P), or (P,) for one seed; and the steps taken."""

    averages: dict[str, Tensor]
    step: Tensor


def zero_moments(rule: Adam | SGD, theta: Tensor) -> Moments:
    """Return the moments before the first step."""
    names = ["exp_avg", "exp_avg_sq"] if isinstance(rule, Adam) else ["momentum_buffer"] if rule.momentum else []
    return Moments({name: torch.zeros_like(theta) for name in names}, torch.zeros((), device=theta.device))


def update(rule: Adam | SGD, lr: Any, theta: Tensor, gradient: Tensor, moments: Moments) -> None:
    """Take one step in place with the kernels that PyTorch's fused optimizers call, all tensors like theta.

    The step size lr is a number, or a scalar tensor where a CUDA graph is to read it anew at each replay.
    """
    moments.step.add_(1)
    averages = moments.averages
    if isinstance(rule, Adam):
        torch._fused_adam_(
            [theta], [gradient], [averages["exp_avg"]], [averages["exp_avg_sq"]], [], [moments.step],
            lr=lr, beta1=rule.beta1, beta2=rule.beta2, eps=rule.eps,
            weight_decay=0.0, amsgrad=False, maximize=False,
        )  # fmt: skip
    else:
        torch._fused_sgd_(
            [theta], [gradient], list(averages.values()),
            lr=lr, momentum=rule.momentum,
            weight_decay=0.0, dampening=0.0, nesterov=False, maximize=False, is_first_step=False,
        )  # fmt: skip


def stored(rule: Adam | SGD, theta: Tensor, moments: Moments) -> dict[str, Tensor]:
    """Return copies of parameters and moments by name, each (S, P) but for Adam's step counter."""
    state = {"theta": theta, **moments.averages}
    if isinstance(rule, Adam):
        state["step"] = moments.step
    return {name: value.clone() for name, value in state.items()}


def restore(state: dict[str, Tensor], theta: Tensor, moments: Moments) -> None:
    """Copy what `stored` returned into parameters and moments in place; moments that it lacks stay as they are."""
    theta.copy_(state["theta"])
    for name, value in {**moments.averages, "step": moments.step}.items():
        if name in state:
            value.copy_(state[name])
