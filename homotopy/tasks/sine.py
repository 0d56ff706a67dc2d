"""The sine study: from y = sin(x) to y = sin(omega x) on x ~ U(0, 1) (Section 5.1, Eq. 19)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble
from homotopy.algorithm.deformations import filter_targets, frequency_shift, linear
from homotopy.settings import at_least, between, one_of, positive, rule
from homotopy.streams import Purpose, generator
from homotopy.tasks.regression import Regression


def standardised(x: Tensor) -> Tensor:
    """Return x ~ U(0, 1) with mean 0 and variance 1; any shape."""
    return (x - 0.5) * math.sqrt(12)


def fourier(x: Tensor) -> Tensor:
    """Return the sine and cosine of 2 pi 2^j x, j = 0, ..., 4; x (..., 1), returns (..., 10)."""
    phase = 2 * math.pi * 2.0 ** torch.arange(OCTAVES, dtype=x.dtype, device=x.device) * x
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


OCTAVES = 5
INPUTS: dict[str, Callable[[Tensor], Tensor]] = {"raw": lambda x: x, "standardised": standardised, "fourier": fourier}

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
        one_of("linear_targets", "gaussian_filter", "amplitude", "frequency"),
        "linear_targets, gaussian_filter, amplitude or frequency",
    )
    filter_samples: int = rule(at_least(1), "an integer of at least 1 (M of Eq. 21)")
    filter_width: float = rule(positive, "a number above 0 (xi of Eq. 22)")
    inputs: str = rule(lambda v: v in INPUTS, ", ".join(INPUTS), default="raw")
    name: str = "sine"
    models: ClassVar[tuple[str, ...]] = ("mlp", "siren")

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
        used = self._settings()
        if not needs_source:
            del used["source_omega"], used["deformation"]
        elif self.deformation == "amplitude":
            del used["source_omega"]
        if not needs_path or self.deformation != "gaussian_filter":
            del used["filter_samples"], used["filter_width"]
        return used

    def source_identity(self) -> dict[str, object]:
        """Return the settings that can change the source solution."""
        names = {"name", "source_omega", "noise", "samples", "train_fraction", "deformation", "inputs"}
        if self.deformation == "amplitude":
            names -= {"source_omega", "noise"}
        used = {name: value for name, value in self._settings().items() if name in names}
        if self.deformation == "frequency":  # it starts where Eq. 14 does
            used["deformation"] = "linear_targets"
        return used

    def _settings(self) -> dict[str, object]:
        """Return all settings, without the inputs where they are raw: results are older than that key."""
        used = asdict(self)
        if self.inputs == "raw":
            del used["inputs"]
        return used

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

    Beyond the paper: with `amplitude` the source is the constant 0, and the path only scales the target; with
    `frequency` the path moves omega itself, as Figure 4b moves the parameters of a density, under the noise of Eq. 14.
    What the network reads of x is the task's `inputs`.
    """

    def __init__(self, task: Sine, seeds: Sequence[int], data: SineData) -> None:
        self._task, self._seeds = task, seeds
        self.provenance: list[dict] = []  # every seed draws its own data
        n = task.training_samples
        features = INPUTS[task.inputs]
        self._raw, self._y_target = data.x[:, :n], data.y_target[:, :n]
        self._x, self._x_test, self._y_test = features(self._raw), features(data.x[:, n:]), data.y_target[:, n:]
        self.inputs = self._x.shape[2]
        self._same_inputs = task.deformation != "gaussian_filter"
        if self._same_inputs:
            self._x_path, self._y_source, self._y_end = self._x, data.y_source[:, :n], self._y_target
            if task.deformation == "amplitude":
                self._y_source = torch.zeros_like(self._y_target)
        else:
            x_source, self._y_source = data.x_source[:, :n], data.y_source_own[:, :n]
            self._x_path = features(x_source)
            samples = _filter_samples(seeds, n, min(task.filter_samples, n)).to(data.x.device)
            self._y_end = filter_targets(x_source, self._raw, self._y_target, samples, task.filter_width)

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
        if self._task.deformation == "frequency":
            y = y + frequency_shift(self._raw, self._task.source_omega, self._task.omega, lam)
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
