"""How fast the machine convolves: the convolutions of a training step, with nothing between them."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from homotopy.solvers.classifiers import Group
from homotopy.solvers.optimizers import Adam
from homotopy.solvers.vgg import VGG
from homotopy.tasks.classification import Batch, Classification

Call = Callable[[], object]


class _Recorder(TorchDispatchMode):
    """Computes whatever PyTorch is asked for, and keeps each convolution and its derivatives with their arguments."""

    kept = (torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default)

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = partial(function, *args, **(kwargs or {}))
        if function in self.kept:
            self.calls.append(call)
        return call()


def recorded(model: VGG, theta: Tensor, batch: Batch) -> list[Call]:
    """Return each convolution of a training step of the networks theta (G, P), forward and backward, to be repeated."""
    trained, running = Group(model, Adam(), theta).views()
    with _Recorder() as step:
        loss = batch.loss(model.forward(trained, running, batch.x, training=True))
        torch.autograd.grad(loss.mean(dim=1).sum(), trained)
    return step.calls


class Convolutions:
    """The convolutions of an epoch and nothing else: the seeds' own, shared out among cores as in training.

    Those of each seed's first batch are repeated for every batch of the epoch.
    """

    def __init__(self, model: VGG, theta: Tensor, problem: Classification, batch_size: int) -> None:
        """Record them with the parameters theta (S, P)."""
        self._steps = []
        for s, row in enumerate(theta.split(1)):
            batch = next(problem.batches(slice(s, s + 1), 1, batch_size, theta.dtype))
            self._steps.append(recorded(model, row, batch))
        self._batches = math.ceil(problem.samples / batch_size)
        threads = torch.get_num_threads()
        self._workers = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

    def epoch(self) -> None:
        """Compute those of all seeds."""
        list(self._workers.map(self._repeat, self._steps))

    def flops(self) -> int:
        """Return the floating-point operations of an epoch of all seeds, as PyTorch counts them."""
        with FlopCounterMode(display=False) as counter:
            for call in (call for step in self._steps for call in step):
                call()
        return counter.get_total_flops() * self._batches

    @torch.no_grad()
    def _repeat(self, step: list[Call]) -> None:
        for _ in range(self._batches):
            for call in step:
                call()
