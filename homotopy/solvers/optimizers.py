"""The solvers' update rules on stacked parameters, and the decay of their step size.

Both rules are PyTorch's own, run on the one tensor that holds the parameters of all seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from homotopy.settings import one_of, positive, rule


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


@dataclass(frozen=True)
class Optimizer:
    """The solver inside a step of lam: an update rule, and how its step size and moments change during a run.

    Adam does not heed `momentum`, nor stochastic gradient descent beta1, beta2 and eps.
    """

    name: str = rule(one_of("adam", "sgd"), "adam or sgd")
    lr: float = rule(positive, "a number above 0 (step size)")
    decay: str = rule(lambda v: v in DECAYS, " or ".join(DECAYS), default="constant")
    moments: str = rule(one_of("keep", "reset"), "keep or reset (when lam changes)", default="keep")
    beta1: float = rule(lambda v: 0 <= v < 1, "within [0, 1)", default=0.9)
    beta2: float = rule(lambda v: 0 <= v < 1, "within [0, 1)", default=0.999)
    eps: float = rule(positive, "a number above 0", default=1e-8)
    momentum: float = rule(lambda v: 0 <= v < 1, "within [0, 1)", default=0.0)

    @property
    def is_adam(self) -> bool:
        """Whether the rule is Adam; else it is stochastic gradient descent."""
        return self.name == "adam"

    def build(self, theta: Tensor) -> torch.optim.Optimizer:
        """Return PyTorch's optimizer of `theta`, any shape; one fused kernel updates every seed."""
        if self.is_adam:
            return torch.optim.Adam([theta], self.lr, (self.beta1, self.beta2), self.eps, fused=True)
        return torch.optim.SGD([theta], self.lr, self.momentum, fused=True)


def Adam(lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """Adam with the step size of Section 5 and PyTorch's defaults for the rest."""
    return Optimizer("adam", lr, beta1=beta1, beta2=beta2, eps=eps)


def SGD(lr: float = 1e-2, momentum: float = 0.9) -> Optimizer:
    """Stochastic gradient descent with heavy-ball momentum."""
    return Optimizer("sgd", lr, momentum=momentum)


class Moments(NamedTuple):
    """What the update rule remembers, by PyTorch's names: tensors (S, P), or (P,) for one seed; and the steps taken."""

    averages: dict[str, Tensor]
    step: Tensor


def zero_moments(optimizer: Optimizer, theta: Tensor) -> Moments:
    """Return the moments before the first step."""
    names = ["exp_avg", "exp_avg_sq"] if optimizer.is_adam else ["momentum_buffer"] if optimizer.momentum else []
    return Moments({name: torch.zeros_like(theta) for name in names}, torch.zeros((), device=theta.device))


def update(optimizer: Optimizer, lr: Any, theta: Tensor, gradient: Tensor, moments: Moments) -> None:
    """Take one step in place with the kernels that PyTorch's fused optimizers call; the gradient is like theta.

    The step size lr is a number, or a scalar tensor where a CUDA graph is to read it anew at each replay.
    """
    moments.step.add_(1)
    averages = moments.averages
    if optimizer.is_adam:
        torch._fused_adam_(
            [theta], [gradient], [averages["exp_avg"]], [averages["exp_avg_sq"]], [], [moments.step],
            lr=lr, beta1=optimizer.beta1, beta2=optimizer.beta2, eps=optimizer.eps,
            weight_decay=0.0, amsgrad=False, maximize=False,
        )  # fmt: skip
    else:
        torch._fused_sgd_(
            [theta], [gradient], list(averages.values()),
            lr=lr, momentum=optimizer.momentum,
            weight_decay=0.0, dampening=0.0, nesterov=False, maximize=False, is_first_step=False,
        )  # fmt: skip


def stored(optimizer: Optimizer, theta: Tensor, moments: Moments) -> dict[str, Tensor]:
    """Return copies of parameters and moments by name, each (S, P) but for Adam's step counter."""
    state = {"theta": theta, **moments.averages}
    if optimizer.is_adam:
        state["step"] = moments.step
    return {name: value.clone() for name, value in state.items()}


def restore(state: dict[str, Tensor], theta: Tensor, moments: Moments) -> None:
    """Copy what `stored` returned into parameters and moments in place; moments that it lacks stay as they are."""
    theta.copy_(state["theta"])
    for name, value in {**moments.averages, "step": moments.step}.items():
        if name in state:
            value.copy_(state[name])
