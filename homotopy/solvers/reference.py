"""S networks of one shape trained side by side: the clear version, which the others are tested against."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from homotopy.algorithm.corrector import EpochLoss
from homotopy.solvers.mlp import MLP
from homotopy.solvers.module import ModuleNetwork
from homotopy.solvers.optimizers import Optimizer
from homotopy.solvers.threads import start_thread
from homotopy.tasks.regression import Regression


def squared_error(prediction: Tensor, y: Tensor) -> Tensor:
    """Sum over the samples of each seed, (S, B, outputs) -> (S,)."""
    return (prediction - y).square().sum(dim=(1, 2))


class AutogradEnsemble:
    """The reference: autograd over stacked parameters, on any device and in any floating-point type.

    It computes in a thread of its own, which flushes subnormal numbers to zero (`homotopy.solvers.threads`).
    """

    def __init__(self, model: MLP | ModuleNetwork, optimizer: Optimizer, theta: Tensor, batch_size: int) -> None:
        """Start from theta (S, P), which is copied."""
        self._model = model
        self._rule = optimizer
        self._theta = theta.detach().clone().requires_grad_(True)
        self._optimizer = optimizer.build(self._theta)
        self._batch_size = batch_size
        self._thread = ThreadPoolExecutor(1, initializer=start_thread, initargs=(torch.get_num_threads(),))

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters, (S, P)."""
        return self._theta.detach().clone()

    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch with step size lr; no seed changes another: each has its own term of the summed loss."""
        return self._thread.submit(self._train, problem, epoch, lr).result()

    def evaluate(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared error of each seed on its own x (S, N, D), y (S, N, outputs); float64 (S,)."""
        return self._thread.submit(self._evaluate, x, y).result()

    def reset_moments(self) -> None:
        """Forget the optimizer's moments, as at the start of a run."""
        self._optimizer = self._rule.build(self._theta)

    def state(self) -> dict[str, Tensor]:
        """Parameters and moments, each (S, P) but for the step counter."""
        moments = self._optimizer.state.get(self._theta, {})
        return {"theta": self.theta, **{name: value.clone() for name, value in moments.items() if value is not None}}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned for an ensemble of the same shape."""
        with torch.no_grad():
            self._theta.copy_(state["theta"])
        self.reset_moments()
        device = self._theta.device
        moments = {name: value.to(device, copy=True) for name, value in state.items() if name != "theta"}
        if moments:
            self._optimizer.state[self._theta].update(moments)

    def _train(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        x, y, y_target = problem.shuffled(epoch)
        objective = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        target = None if y_target is None else torch.zeros_like(objective)
        for start in range(0, x.shape[1], self._batch_size):
            batch = slice(start, start + self._batch_size)
            prediction = self._model.forward(self._theta, x[:, batch])
            loss = squared_error(prediction, y[:, batch])
            self._optimizer.zero_grad()
            (loss.sum() / prediction.shape[1]).backward()
            self._optimizer.step()
            objective += loss.detach()
            if target is not None and y_target is not None:
                target += squared_error(prediction.detach(), y_target[:, batch])
        samples = x.shape[1]
        return EpochLoss(objective / samples, None if target is None else target / samples)

    @torch.no_grad()
    def _evaluate(self, x: Tensor, y: Tensor) -> Tensor:
        return squared_error(self._model.forward(self._theta, x), y).double() / x.shape[1]
