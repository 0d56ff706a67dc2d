"""The solver for classifiers: S networks on images, a group of them at a time, the groups shared out among threads.

On a CPU a group is one network and its kernels use one thread, so that two cores train two seeds; what was measured
is in docs/images.md. On a GPU there is one thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from homotopy.classification import Batch, Classification, Samples, normalised
from homotopy.ensemble import EpochLoss
from homotopy.fused import Moments, update, zero_moments
from homotopy.optimizers import SGD, Adam
from homotopy.vgg import VGG, views


class Score(NamedTuple):
    """Mean cross-entropy and share of correct classes per seed, float64 (S,)."""

    loss: Tensor
    accuracy: Tensor


class ImageEnsemble:
    """The protocol of `homotopy.ensemble` for `Classification`, on any device.

    Parameters and moments have theta's type; with `bfloat16` the layers compute in that type (autocast).
    """

    def __init__(
        self,
        model: VGG,
        optimizer: Adam | SGD,
        theta: Tensor,
        batch_size: int,
        *,
        bfloat16: bool = False,
        group: int = 1,
        threads: int | None = None,
    ) -> None:
        """Start from theta (S, P), which is copied; train `group` seeds as one network, in `threads` threads."""
        self._model, self._rule, self._batch_size, self._bfloat16 = model, optimizer, batch_size, bfloat16
        self._trained, self._running = (part.contiguous().clone() for part in _split(model, theta))
        self._groups = [slice(start, start + group) for start in range(0, len(theta), group)]
        on_cpu = theta.device.type == "cpu"
        threads = (threads or torch.get_num_threads()) if on_cpu else 1
        kernel_threads = max(1, torch.get_num_threads() // threads)
        self._workers = ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(kernel_threads))
        self.reset_moments()

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters and of batch norm's running statistics, (S, P)."""
        return torch.cat([self._trained, self._running], dim=1)

    def epoch(self, problem: Classification, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch with step size lr; the target's loss is only known from `evaluate`."""
        losses = self._for_each_group(lambda seeds: self._train(seeds, problem, epoch, lr))
        self._moments.step.add_(math.ceil(problem.samples / self._batch_size))
        return EpochLoss(torch.cat(losses), None)

    def evaluate(self, samples: Samples) -> Score:
        """Return loss and accuracy of each seed on its members, with batch norm's running statistics."""
        scores = self._for_each_group(lambda seeds: self._score(seeds, samples))
        return Score(*(torch.cat(part) for part in zip(*scores, strict=True)))

    def reset_moments(self) -> None:
        """Forget the optimizer's moments, as at the start of a run."""
        moments = zero_moments(self._rule, self._trained)
        self._moments = Moments(moments.averages, moments.step.to(self._trained.device))

    def state(self) -> dict[str, Tensor]:
        """Parameters with running statistics, (S, P), moments (S, trained) and the step counter."""
        state = {"theta": self.theta, "step": self._moments.step, **self._moments.averages}
        return {name: value.clone() for name, value in state.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned for an ensemble of the same shape."""
        for own, part in zip((self._trained, self._running), _split(self._model, state["theta"]), strict=True):
            own.copy_(part)
        for name, value in {**self._moments.averages, "step": self._moments.step}.items():
            value.copy_(state[name])

    def _train(self, seeds: slice, problem: Classification, epoch: int, lr: float) -> Tensor:
        """Run one epoch of a group; returns the mean loss of each of its seeds, float64 (G,)."""
        theta = self._trained[seeds]
        gradient = torch.empty_like(theta)
        shapes = self._model.trained_shapes()
        trained = [view.detach().requires_grad_() for view in views(theta, shapes)]
        slots, running = views(gradient, shapes), views(self._running[seeds], self._model.running_shapes())
        averages = {name: average[seeds] for name, average in self._moments.averages.items()}
        moments = Moments(averages, self._moments.step.clone())
        total = torch.zeros(len(theta), dtype=torch.float64, device=theta.device)
        for batch in problem.batches(seeds, epoch, self._batch_size, theta.dtype):
            with self._precision():
                logits = self._model.forward(trained, running, batch.x, training=True)
            loss = batch.loss(logits)
            torch._foreach_copy_(slots, torch.autograd.grad(loss.mean(dim=1).sum(), trained))
            update(self._rule, lr, theta, gradient, moments)
            total += loss.detach().sum(dim=1, dtype=torch.float64)
        return total / problem.samples

    @torch.no_grad()
    def _score(self, seeds: slice, samples: Samples) -> tuple[Tensor, Tensor]:
        trained = views(self._trained[seeds], self._model.trained_shapes())
        running = views(self._running[seeds], self._model.running_shapes())
        loss, correct = [], []
        for members in samples.members[seeds].split(self._batch_size, dim=1):
            labels = samples.labels[members]
            with self._precision():
                x = normalised(samples.pixels[members], self._trained.dtype)
                logits = self._model.forward(trained, running, x, training=False)
            loss.append(Batch(x, labels, None, 1.0).loss(logits))
            correct.append(logits.argmax(dim=-1) == labels)
        return torch.cat(loss, dim=1).double().mean(dim=1), torch.cat(correct, dim=1).double().mean(dim=1)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._trained.device.type, torch.bfloat16, enabled=self._bfloat16)

    def _for_each_group(self, work: Callable[[slice], object]) -> list:
        return list(self._workers.map(work, self._groups))


def _split(model: VGG, theta: Tensor) -> tuple[Tensor, Tensor]:
    trained, running = theta.detach().split([model.trained, model.size - model.trained], dim=1)
    return trained, running
