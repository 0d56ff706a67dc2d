"""The sine study: from y = sin(x) to y = sin(omega x) on x ~ U(0, 1) (Section 5.1, Eq. 19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble
from homotopy.algorithm.deformations import filter_targets, linear
from homotopy.settings import at_least, between, one_of, positive, rule
from homotopy.streams import Purpose, generator
from homotopy.tasks.regression import Regression

# parts of a seed's data stream; the numbers are part of every result
_X, _SOURCE_NOISE, _TARGET_NOISE, _X_SOURCE = range(4)


@dataclass(frozen=True)
class Sine:
    """Settings of the sine study."""

    omega: float = rule(positive, "a finite number above 0 (rad)")
    source_omega: float = rule(positive, "a finite number above 0 (rad)")
    noise: float = rule(at_least(0), "a number of at least 0 (standard deviation)")
    samples: int = rule(at_least(2), "an integer of at least 2 (per data set)")
    train_fraction: float = rule(between(0, 1), "strictly between 0 and 1")
    deformation: str = rule(
        one_of("linear_targets", "gaussian_filter", "amplitude"), "linear_targets, gaussian_filter or amplitude"
    )
    filter_samples: int = rule(at_least(1), "an integer of at least 1 (M of Eq. 21)")
    filter_width: float = rule(positive, "a number above 0 (xi of Eq. 22)")
    name: str = "sine"
    models: ClassVar[tuple[str, ...]] = ("mlp",)

    @property
    def tries_steps(self) -> bool:
        """Whether each seed may have its own lam, and a step's loss be known before its training."""
        return self.deformation != "gaussian_filter"

    @property
    def label(self) -> str:
        """The task's folder among the results."""
        return f"sine-omega{self.omega:g}"

    @property
    def title(self) -> str:
        """The task above a figure."""
        return rf"$\omega = {self.omega:g}$ rad"

    @property
    def training_samples(self) -> int:
        """Samples that are trained on; the rest is for testing."""
        return int(self.samples * self.train_fraction)

    def identity(self, *, needs_source: bool, needs_path: bool) -> dict[str, object]:
        """Return the settings that can change a run's numbers."""
        used = asdict(self)
        if not needs_source:
            del used["source_omega"], used["deformation"]
        elif self.deformation == "amplitude":
            del used["source_omega"]
        if not needs_path or self.deformation != "gaussian_filter":
            del used["filter_samples"], used["filter_width"]
        return used

    def source_identity(self) -> dict[str, object]:
        """Return the settings that can change the source solution."""
        names = {"name", "source_omega", "noise", "samples", "train_fraction", "deformation"}
        if self.deformation == "amplitude":
            names -= {"source_omega", "noise"}
        return {name: value for name, value in asdict(self).items() if name in names}

    def check_data(self) -> None:
        """Need no files."""

    def load(self, seeds: Sequence[int], device: torch.device, dtype: torch.dtype) -> SineDeformation:
        """Draw every seed's data and return the deformation between them."""
        data = [_draw(self, seed) for seed in seeds]
        tensors = (torch.from_numpy(np.stack(part)).unsqueeze(-1).to(device, dtype) for part in zip(*data, strict=True))
        return SineDeformation(self, seeds, SineData(*tensors))


class SineData(NamedTuple):
    """Every seed's samples, each (S, samples, 1): the training part first, then the test part."""

    x: Tensor
    y_source: Tensor
    y_target: Tensor
    x_source: Tensor
    y_source_own: Tensor


def _draw(task: Sine, seed: int) -> tuple[np.ndarray, ...]:
    x = generator(seed, Purpose.DATA, _X).uniform(size=task.samples)
    x_source = generator(seed, Purpose.DATA, _X_SOURCE).uniform(size=task.samples)
    source_noise = task.noise * generator(seed, Purpose.DATA, _SOURCE_NOISE).standard_normal(task.samples)
    target_noise = task.noise * generator(seed, Purpose.DATA, _TARGET_NOISE).standard_normal(task.samples)
    y_source = np.sin(task.source_omega * x) + source_noise
    y_target = np.sin(task.omega * x) + target_noise
    return x, y_source, y_target, x_source, np.sin(task.source_omega * x_source) + source_noise


class SineDeformation:
    """From sin(source_omega x) to sin(omega x), by mixing the targets at the same x or through a Gaussian filter.

    With `amplitude` the source is the constant 0: the path only scales the target. An ablation, not in the paper.
    """

    def __init__(self, task: Sine, seeds: Sequence[int], data: SineData) -> None:
        self._seeds = seeds
        self.provenance: list[dict] = []  # every seed draws its own data
        n = task.training_samples
        self._x, self._y_target = data.x[:, :n], data.y_target[:, :n]
        self._x_test, self._y_test = data.x[:, n:], data.y_target[:, n:]
        self._same_inputs = task.deformation != "gaussian_filter"
        if self._same_inputs:
            self._x_path, self._y_source, self._y_end = self._x, data.y_source[:, :n], self._y_target
            if task.deformation == "amplitude":
                self._y_source = torch.zeros_like(self._y_target)
        else:
            self._x_path, self._y_source = data.x_source[:, :n], data.y_source_own[:, :n]
            samples = _filter_samples(seeds, n, min(task.filter_samples, n)).to(data.x.device)
            self._y_end = filter_targets(self._x_path, self._x, self._y_target, samples, task.filter_width)

    def source(self) -> Regression:
        """Return the source task's problem."""
        return Regression(self._x_path, self._y_source, None, self._seeds, Purpose.SOURCE_SHUFFLING)

    def at(self, lam: float | Tensor) -> Regression:
        """Return the problem H(., lam), lam one number or each seed's own (S, 1, 1).

        Its inputs are the target's only where both tasks share x (Eq. 14).
        """
        if isinstance(lam, Tensor):
            lam = lam.to(self._y_source)
        y = linear(self._y_source, self._y_end, lam)
        return Regression(self._x_path, y, self._y_target if self._same_inputs else None, self._seeds)

    def target(self) -> Regression:
        """Return the target task's problem."""
        return Regression(self._x, self._y_target, self._y_target, self._seeds)

    def metrics(self, ensemble: Ensemble) -> dict[str, Tensor]:
        """Return the loss on the target's test set, and on its training set where an epoch does not give it."""
        found = {"test_loss": ensemble.evaluate(self._x_test, self._y_test)}
        if not self._same_inputs:
            found["target_loss"] = ensemble.evaluate(self._x, self._y_target)
        return found


def _filter_samples(seeds: Sequence[int], samples: int, size: int) -> Tensor:
    """Draw each seed's `size` of its `samples` target data, without replacement, int64 (S, M)."""
    draws = [generator(seed, Purpose.FILTER).choice(samples, size, replace=False) for seed in seeds]
    return torch.from_numpy(np.stack(draws))
