"""The solvers' update rules, the decay of their step size, and what the rules remember.

Both rules are PyTorch's. They run on the one tensor that holds the parameters of all seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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

    Adam does not heed `momentum`, nor stochastic gradient descent beta1, beta2 and eps (`unheeded`).
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

    @property
    def unheeded(self) -> tuple[str, ...]:
        """The settings that the rule does not read."""
        return ("momentum",) if self.is_adam else ("beta1", "beta2", "eps")

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


class OwnMoments:
    """What ensembles have in common that keep parameters and moments themselves, without a `torch.optim.Optimizer`.

    `_moments` are what the update rule remembers, by PyTorch's names, each (S, P); `_steps` is the number of steps that
    were taken. `state()` is what the reference's would be.
    """

    def __init__(self, optimizer: Optimizer, theta: Tensor) -> None:
        """Start from theta (S, P), which is copied."""
        self._rule = optimizer
        self._theta = theta.detach().clone(memory_format=torch.contiguous_format)
        names = ["exp_avg", "exp_avg_sq"] if optimizer.is_adam else ["momentum_buffer"] if optimizer.momentum else []
        self._moments = {name: torch.zeros_like(self._theta) for name in names}
        self._steps = torch.zeros((), device=theta.device)

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters, (S, P)."""
        return self._theta.clone()

    def reset_moments(self) -> None:
        """Forget the optimizer's moments, in place: a recorded epoch works on these very tensors."""
        for tensor in (*self._moments.values(), self._steps):
            tensor.zero_()

    def state(self) -> dict[str, Tensor]:
        """Parameters and moments, each (S, P) but for Adam's step counter."""
        state = {"theta": self._theta, **self._moments}
        if self._rule.is_adam:
            state["step"] = self._steps
        return {name: value.clone() for name, value in state.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned for an ensemble of the same shape."""
        self._theta.copy_(state["theta"])
        self.reset_moments()  # the reference's state has no moments before its first step
        for name, value in {**self._moments, "step": self._steps}.items():
            if name in state:
                value.copy_(state[name])
