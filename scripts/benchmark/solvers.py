"""The contestants that train the regression network: all do the same work, and `check_agreement` makes sure of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from homotopy.algorithm.corrector import EpochLoss
from homotopy.errors import ResultError
from homotopy.solvers.build import initial_theta
from homotopy.solvers.fused import FusedEnsemble, library
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import Adam, Optimizer
from homotopy.solvers.reference import AutogradEnsemble
from homotopy.streams import Purpose, generator
from homotopy.tasks.regression import Regression

CPU = torch.device("cpu")
LR = 1e-3
TOLERANCE = 1e-9  # relative, in float64, over two epochs from the start and one from a state
MOMENTS = ("theta", "exp_avg", "exp_avg_sq")
FLUSHED = "plain loop, subnormals flushed"
KEPT = "fused ensemble, subnormals kept"


class Trainer(Protocol):
    """What a contestant must do: train its seeds for an epoch, from the start or from a state."""

    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch with step size lr."""

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from Adam's state of the same seeds: theta, exp_avg and exp_avg_sq (S, P), step."""


Build = Callable[[MLP, Optimizer, Tensor, int], Trainer]


def sequential(model: MLP, theta: Tensor) -> nn.Sequential:
    """Return PyTorch's own network with one seed's parameters theta (P,)."""
    modules: list[nn.Module] = []
    for weight, bias in model.split(theta.unsqueeze(0)):
        linear = nn.Linear(weight.shape[1], weight.shape[2], dtype=theta.dtype)
        linear.weight.data = weight[0].t().clone(memory_format=torch.contiguous_format)  # where fan_in is 1, too
        linear.bias.data = bias[0, 0].clone()
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


class PlainLoop:
    """Training as in PyTorch's tutorials: one seed after another, `nn.Sequential`, autograd, `torch.optim.Adam`."""

    def __init__(self, model: MLP, rule: Optimizer, theta: Tensor, batch_size: int, fused: bool | None = None) -> None:
        """Start from theta (S, P), with PyTorch's default Adam unless the fused one is asked for."""
        self._networks = [sequential(model, row) for row in theta]
        self._optimizers = [
            torch.optim.Adam(network.parameters(), rule.lr, (rule.beta1, rule.beta2), rule.eps, fused=fused)
            for network in self._networks
        ]
        self._model, self._batch_size = model, batch_size

    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch; the step size is the optimizer's own."""
        x, y, _ = problem.shuffled(epoch)
        pairs = zip(self._networks, self._optimizers, x, y, strict=True)
        return EpochLoss(torch.stack([self._train(*pair) for pair in pairs]), None)

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from Adam's state."""
        for s, (network, optimizer) in enumerate(zip(self._networks, self._optimizers, strict=True)):
            parts = [list(sequential(self._model, state[name][s]).parameters()) for name in MOMENTS]
            with torch.no_grad():
                for parameter, value in zip(network.parameters(), parts[0], strict=True):
                    parameter.copy_(value)
            for parameter, mean, square in zip(network.parameters(), *parts[1:], strict=True):
                moments = {"exp_avg": mean.detach(), "exp_avg_sq": square.detach()}
                optimizer.state[parameter] = {"step": state["step"].clone(), **moments}

    def _train(self, network: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> Tensor:
        total = torch.zeros((), dtype=torch.float64, device=x.device)
        for x_batch, y_batch in zip(x.split(self._batch_size), y.split(self._batch_size), strict=True):
            loss = nn.functional.mse_loss(network(x_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(x_batch)
        return total / len(x)


plain_loop_fused_adam: Build = partial(PlainLoop, fused=True)


class FlushedLoop(PlainLoop):
    """The plain loop after `torch.set_flush_denormal(True)`, which holds for a thread and those that it starts."""

    def __init__(self, model: MLP, rule: Optimizer, theta: Tensor, batch_size: int) -> None:
        """Start from theta (S, P)."""
        super().__init__(model, rule, theta, batch_size)
        self._thread = ThreadPoolExecutor(1, initializer=torch.set_flush_denormal, initargs=(True,))

    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch in that thread."""
        return self._thread.submit(super().epoch, problem, epoch, lr).result()


class KeptSubnormals(FusedEnsemble):
    """Our solver as it would be if it did not flush subnormal numbers: the same bits, at another speed."""

    def __init__(self, model: MLP, rule: Optimizer, theta: Tensor, batch_size: int) -> None:
        """Start from theta (S, P)."""
        super().__init__(model, rule, theta, batch_size)
        self._library = library(theta.dtype, "-DKEEP_SUBNORMALS=1")


def builders() -> dict[str, Build]:
    """Return the contestants by name; JAX among them where it is installed."""
    found: dict[str, Build] = {
        "plain loop": PlainLoop,
        FLUSHED: FlushedLoop,
        "plain loop, fused Adam": plain_loop_fused_adam,
        "stacked autograd": AutogradEnsemble,
        "fused ensemble": FusedEnsemble,
        KEPT: KeptSubnormals,
    }
    try:
        from benchmark.jax_solver import JaxEnsemble
    except ImportError:
        return found
    return found | {"JAX": JaxEnsemble}


def problem(seeds: int, samples: int, dtype: torch.dtype = torch.float32, device: torch.device = CPU) -> Regression:
    """Return one period of a sine for every seed, `samples` points each."""
    draws = [generator(seed, Purpose.DATA).uniform(size=(samples, 1)) for seed in range(seeds)]
    x = torch.from_numpy(np.stack(draws)).to(device, dtype)
    y = torch.sin(2 * torch.pi * x)
    return Regression(x, y, 1.1 * y, range(seeds))


def initial(model: MLP, seeds: int, dtype: torch.dtype = torch.float32, device: torch.device = CPU) -> Tensor:
    """Return every seed's random initialisation, (S, P)."""
    return initial_theta(model, range(seeds), device, dtype)


def epoch_of(
    build: Build, model: MLP, batch_size: int, seeds: int, samples: int, device: torch.device = CPU
) -> Callable[[], object]:
    """Return a function that trains `seeds` seeds for one epoch of `samples` samples, going on where it stopped.

    Its losses are on the CPU, so that a GPU has done its work when it returns.
    """
    trainer = build(model, Adam(LR), initial(model, seeds, device=device), batch_size)
    data = problem(seeds, samples, device=device)
    epochs = itertools.count(1)
    return lambda: trainer.epoch(data, next(epochs), LR).objective.cpu()


def flops(model: MLP, samples: int) -> float:
    """Return the floating-point operations of the matrix products of one seed's epoch.

    Three products a layer: its values, its weights' gradient, and, but for the first, its inputs' derivatives.
    """
    weights = sum(fan_in * fan_out for fan_in, fan_out in model.layers)
    return 2.0 * samples * (3 * weights - model.layers[0][0] * model.layers[0][1])


def check_agreement(found: dict[str, Build], model: MLP, batch_size: int = 128, samples: int = 600) -> float:
    """Train two seeds in float64 with each: two epochs from the start, and one from the state of our solver then.

    Return the largest relative deviation of their losses. Raise ResultError, and so print no ratio, if they do not all
    do the same work.
    """
    data, theta = problem(2, samples, torch.float64), initial(model, 2, torch.float64)
    trained = FusedEnsemble(model, Adam(LR), theta, batch_size)
    for epoch in (1, 2):
        trained.epoch(data, epoch, LR)
    losses = {}
    for name, build in found.items():
        fresh, later = (build(model, Adam(LR), theta, batch_size) for _ in range(2))
        later.load(trained.state())
        plan = [(fresh, 1), (fresh, 2), (later, 3)]
        losses[name] = torch.stack([trainer.epoch(data, epoch, LR).objective for trainer, epoch in plan])
    expected = losses["plain loop"]
    deviations = {name: float((loss / expected - 1).abs().max()) for name, loss in losses.items()}
    for name, deviation in deviations.items():
        if not deviation <= TOLERANCE:
            raise ResultError(f"bench: {name} reaches other losses than the plain loop (relative {deviation:.1e})")
    return max(deviations.values())
