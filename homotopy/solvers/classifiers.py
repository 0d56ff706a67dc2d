"""The solver for classifiers: S networks on images in groups, each group trained as one network, several in parallel.

On a CPU a group is one seed's network, and its kernels use one thread: two cores train two seeds at once, and a single
seed uses one core. `make bench` compares ways to use the cores (section images). Of those within one process that give
a seed the same bits whatever other seeds are trained with it, this is the fastest. On a GPU one thread trains all.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from homotopy.algorithm.corrector import EpochLoss
from homotopy.solvers.optimizers import Optimizer
from homotopy.solvers.threads import start_thread
from homotopy.solvers.vgg import VGG, views
from homotopy.tasks.classification import Batch, Classification, ImageSamples, normalised


class Score(NamedTuple):
    """Mean cross-entropy and share of correct classes per seed, float64 (S,)."""

    loss: Tensor
    accuracy: Tensor


class Group:
    """G networks that are trained as one: their trained entries of theta, batch norm's statistics, the optimizer."""

    def __init__(self, model: VGG, optimizer: Optimizer, theta: Tensor) -> None:
        """Start from theta (G, P), which is copied."""
        self._model, self._rule = model, optimizer
        self._start(theta)

    def _start(self, theta: Tensor) -> None:
        sizes = [self._model.trained, self._model.size - self._model.trained]
        trained, running = theta.detach().split(sizes, dim=1)
        self.trained, self.running = trained.clone().requires_grad_(), running.clone()
        self.reset_moments()

    def reset_moments(self) -> None:
        """Forget the optimizer's moments."""
        self.optimizer = self._rule.build(self.trained)

    def views(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return what `VGG.forward` takes; the first are leaves of the graph."""
        trained = views(self.trained.detach(), self._model.trained_shapes())
        return [view.requires_grad_() for view in trained], views(self.running, self._model.running_shapes())

    def state(self) -> dict[str, Tensor]:
        """Theta (G, P) and the optimizer's tensors, each (G, trained) but for the step counter."""
        moments = self.optimizer.state.get(self.trained, {})
        theta = torch.cat([self.trained.detach(), self.running], dim=1)
        return {"theta": theta, **{name: value for name, value in moments.items() if value is not None}}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned, on whatever device that lies."""
        here = {name: value.to(self.trained.device, copy=True) for name, value in state.items()}
        self._start(here.pop("theta"))
        if here:
            self.optimizer.state[self.trained].update(here)


class ImageEnsemble:
    """The protocol of `homotopy.algorithm.corrector` for `Classification`, on any device.

    Parameters and moments have theta's type; with `bfloat16` the layers compute in that type (autocast).
    """

    def __init__(
        self,
        model: VGG,
        optimizer: Optimizer,
        theta: Tensor,
        batch_size: int,
        *,
        bfloat16: bool = False,
        group: int = 1,
        threads: int | None = None,
    ) -> None:
        """Start from theta (S, P), which is copied; train `group` seeds as one network, in `threads` threads."""
        self._model, self._batch_size, self._bfloat16 = model, batch_size, bfloat16
        self._dtype, self._device = theta.dtype, theta.device
        self._groups = [Group(model, optimizer, part) for part in theta.split(group)]
        self._seeds = [slice(start, start + group) for start in range(0, len(theta), group)]
        threads = (threads or torch.get_num_threads()) if theta.device.type == "cpu" else 1
        kernel_threads = max(1, torch.get_num_threads() // threads)
        self._workers = ThreadPoolExecutor(threads, initializer=_start_thread, initargs=(kernel_threads, theta.device))

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters and of batch norm's running statistics, (S, P)."""
        return self.state()["theta"]

    def epoch(self, problem: Classification, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch with step size lr; the target's loss is only known from `evaluate`."""
        losses = self._for_each_group(lambda group, seeds: self._train(group, seeds, problem, epoch, lr))
        return EpochLoss(torch.cat(losses), None)

    def evaluate(self, samples: ImageSamples) -> Score:
        """Return loss and accuracy of each seed on its members, with batch norm's running statistics."""
        scores = self._for_each_group(lambda group, seeds: self._score(group, seeds, samples))
        return Score(*(torch.cat(part) for part in zip(*scores, strict=True)))

    def reset_moments(self) -> None:
        """Forget the optimizer's moments, as at the start of a run."""
        for group in self._groups:
            group.reset_moments()

    def state(self) -> dict[str, Tensor]:
        """Parameters with running statistics, (S, P), moments (S, trained) and the step counter."""
        states = [group.state() for group in self._groups]
        return {
            name: torch.cat([state[name] for state in states]) if value.ndim else value.clone()
            for name, value in states[0].items()
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned for an ensemble of the same shape."""
        for group, seeds in zip(self._groups, self._seeds, strict=True):
            group.load({name: value[seeds] if value.ndim else value for name, value in state.items()})

    def _train(self, group: Group, seeds: slice, problem: Classification, epoch: int, lr: float) -> Tensor:
        """Run one epoch of a group; returns the mean loss of each of its seeds, float64 (G,)."""
        for options in group.optimizer.param_groups:
            options["lr"] = lr
        group.trained.grad = torch.empty_like(group.trained)
        gradients = views(group.trained.grad, self._model.trained_shapes())
        trained, running = group.views()
        total = torch.zeros(len(group.trained), dtype=torch.float64, device=self._device)
        for batch in problem.batches(seeds, epoch, self._batch_size, self._dtype):
            with self._precision():
                logits = self._model.forward(trained, running, batch.x, training=True)
            loss = batch.loss(logits)
            torch._foreach_copy_(gradients, torch.autograd.grad(loss.mean(dim=1).sum(), trained))
            group.optimizer.step()
            total += loss.detach().sum(dim=1, dtype=torch.float64)
        return total / problem.samples

    @torch.no_grad()
    def _score(self, group: Group, seeds: slice, samples: ImageSamples) -> tuple[Tensor, Tensor]:
        trained, running = group.views()
        loss, correct = [], []
        for members in samples.members[seeds].split(self._batch_size, dim=1):
            labels = samples.labels[members]
            x = normalised(samples.pixels[members], self._dtype)
            with self._precision():
                logits = self._model.forward(trained, running, x, training=False)
            loss.append(Batch(x, labels, None, 1.0).loss(logits))
            correct.append(logits.argmax(dim=-1) == labels)
        return torch.cat(loss, dim=1).double().mean(dim=1), torch.cat(correct, dim=1).double().mean(dim=1)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16)

    def _for_each_group(self, work: Callable[[Group, slice], object]) -> list:
        return list(self._workers.map(work, self._groups, self._seeds))


def _start_thread(kernel_threads: int, device: torch.device) -> None:
    """Set up a worker thread, whose current GPU would otherwise be the first: PyTorch keeps one for each thread."""
    start_thread(kernel_threads)
    if device.type == "cuda":
        torch.cuda.set_device(device)
