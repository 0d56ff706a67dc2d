"""The sine study: from y = sin(x) to y = sin(omega x) on x ~ U(0, 1) (Section 5.1, Eq. 19)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble
from homotopy.algorithm.deformations import Deformation, filter_targets, frequency_shift, linear
from homotopy.settings import at_least, one_of, positive, rule
from homotopy.streams import Purpose, generator
from homotopy.tasks.functions import SOURCE_NOISE, FunctionSamples, FunctionTask, SharedInputs, split, stacked
from homotopy.tasks.regression import Regression

_X_SOURCE = 3  # one more part of a seed's data stream
_OCTAVES = 5


def standardised(x: Tensor) -> Tensor:
    """Return x ~ U(0, 1) with mean 0 and variance 1; any shape."""
    return (x - 0.5) * math.sqrt(12)


def fourier(x: Tensor) -> Tensor:
    """Return the sine and cosine of 2 pi 2^j x, j = 0, ..., 4; x (..., 1), returns (..., 10)."""
    phase = 2 * math.pi * 2.0 ** torch.arange(_OCTAVES, dtype=x.dtype, device=x.device) * x
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


FEATURES: dict[str, Callable[[Tensor], Tensor]] = {"raw": lambda x: x, "standardised": standardised, "fourier": fourier}


@dataclass(frozen=True)
class Sine(FunctionTask):
    """Settings of the sine study."""

    omega: float = rule(positive, "a finite number above 0 (rad)", kw_only=True)
    source_omega: float = rule(positive, "a finite number above 0 (rad)", kw_only=True)
    deformation: str = rule(
        one_of("linear_targets", "gaussian_filter", "amplitude", "frequency"),
        "linear_targets, gaussian_filter, amplitude or frequency",
        kw_only=True,
    )
    filter_samples: int = rule(at_least(1), "an integer of at least 1 (M of Eq. 21)", kw_only=True)
    filter_width: float = rule(positive, "a number above 0 (xi of Eq. 22)", kw_only=True)
    features: str = rule(lambda v: v in FEATURES, " or ".join(FEATURES), default="raw", kw_only=True)
    name: str = "sine"
    models: ClassVar[tuple[str, ...]] = ("mlp", "siren")

    def source(self, x: np.ndarray) -> np.ndarray:
        """Return sin(source_omega x), for x of any shape."""
        return np.sin(self.source_omega * x)

    def target(self, x: np.ndarray) -> np.ndarray:
        """Return sin(omega x), for x of any shape."""
        return np.sin(self.omega * x)

    @property
    def tries_steps(self) -> bool:
        """Whether each seed may have its own lam, and a step's loss be known before its training."""
        return self.deformation != "gaussian_filter"

    @property
    def ends_at_target(self) -> bool:
        """Whether H(., 1) is the target task's problem: the filter's is an approximation at the source's inputs."""
        return self.deformation != "gaussian_filter"

    @property
    def label(self) -> str:
        """The task's folder among the results."""
        return f"sine-omega{self.omega:g}"

    @property
    def title(self) -> str:
        """The task above a figure."""
        return rf"$\omega = {self.omega:g}$ rad"

    def identity(self, *, needs_source: bool, needs_path: bool) -> dict[str, object]:
        """Return the settings that can change a run's numbers."""
        used = self._settings()
        if not needs_source:
            del used["source_omega"], used["deformation"]
        elif self.deformation == "amplitude":
            del used["source_omega"]
        elif self.deformation == "frequency" and not needs_path:  # no lam between 0 and 1 is ever seen
            used["deformation"] = "linear_targets"
        if self.deformation != "gaussian_filter":
            del used["filter_samples"], used["filter_width"]
        return used

    def source_identity(self) -> dict[str, object]:
        """Return the settings that can change the source solution."""
        names = {"name", "source_omega", "noise", "samples", "train_fraction", "deformation", "features"}
        if self.deformation == "amplitude":
            names -= {"source_omega", "noise"}
        used = {name: value for name, value in self._settings().items() if name in names}
        if self.deformation == "frequency":  # it starts where Eq. 14 does
            used["deformation"] = "linear_targets"
        return used

    def _settings(self) -> dict[str, object]:
        """Return all settings, `features` only if they are not raw: older results were made without that setting."""
        used = asdict(self)
        if self.features == "raw":
            del used["features"]
        return used

    def load(self, seeds: Sequence[int], device: torch.device, dtype: torch.dtype) -> Deformation:
        """Draw every seed's data and return the deformation between them."""
        if self.deformation == "gaussian_filter":
            return FilteredTargets(self, seeds, device, dtype)
        drawn = FunctionSamples(*stacked([self.draw(seed) for seed in seeds], device, dtype))
        train, test = split(drawn, self.training_samples)
        read = FEATURES[self.features]
        data = train._replace(x=read(train.x)), seeds, (read(test.x), test.y_target)
        return MovingOmega(self, train.x, *data) if self.deformation == "frequency" else SharedInputs(*data)

    def draw(self, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw a seed's x and both tasks' values there, each (samples, 1).

        With `amplitude` the source is the constant 0, so that the path only scales the target: an ablation.
        """
        x, y_source, y_target = super().draw(seed)
        return x, np.zeros_like(y_source) if self.deformation == "amplitude" else y_source, y_target


class MovingOmega(SharedInputs):
    """From sin(source_omega x) to sin(omega x) through the frequencies between, under the noise of Eq. 14.

    Beyond the paper: as Figure 4b moves the parameters of a density, this path moves omega.
    """

    def __init__(
        self, task: Sine, x: Tensor, samples: FunctionSamples, seeds: Sequence[int], test: tuple[Tensor, Tensor]
    ) -> None:
        """Start from x (S, N, 1), of which the samples' x are features."""
        super().__init__(samples, seeds, test)
        self._task, self._x = task, x

    def at(self, lam: float | Tensor) -> Regression:
        """Return the problem H(., lam), lam one number or each seed's own (S, 1, 1)."""
        mixed = super().at(lam)
        return replace(mixed, y=mixed.y + frequency_shift(self._x, self._task.source_omega, self._task.omega, lam))


class FilteredTargets:
    """From sin(source_omega x) at the source's own x to the Gaussian filter's values there (Eq. 21), then the target.

    The inputs along the path are not the target's, so that an epoch does not give the loss on the target.
    """

    def __init__(self, task: Sine, seeds: Sequence[int], device: torch.device, dtype: torch.dtype) -> None:
        """Draw every seed's data for both tasks."""
        self._seeds = seeds
        self.provenance: list[dict] = []  # no files are read
        n = task.training_samples
        samples = FunctionSamples(*stacked([task.draw(seed) for seed in seeds], device, dtype))
        target, test = split(samples, n)
        x, self._y_source = (part[:, :n] for part in stacked([_own(task, s) for s in seeds], device, dtype))
        drawn = _filter_samples(seeds, n, min(task.filter_samples, n)).to(device)
        self._y_end = filter_targets(x, target.x, target.y_target, drawn, task.filter_width)
        read = FEATURES[task.features]
        self._x = read(x)
        self._target, self._test = (part._replace(x=read(part.x)) for part in (target, test))

    def source(self) -> Regression:
        """Return the source task's problem."""
        return Regression(self._x, self._y_source, None, self._seeds, Purpose.SOURCE_SHUFFLING)

    def at(self, lam: float) -> Regression:
        """Return the problem H(., lam)."""
        return Regression(self._x, linear(self._y_source, self._y_end, lam), None, self._seeds)

    def target(self) -> Regression:
        """Return the target task's problem."""
        x, _, y = self._target
        return Regression(x, y, y, self._seeds)

    def metrics(self, ensemble: Ensemble) -> dict[str, Tensor]:
        """Return the loss on the target's test set and on its training set."""
        return {
            "test_loss": ensemble.evaluate(self._test.x, self._test.y_target),
            "target_loss": ensemble.evaluate(self._target.x, self._target.y_target),
        }


def _own(task: Sine, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a seed's inputs of the source task alone and its values there, each (samples, 1)."""
    x = generator(seed, Purpose.DATA, _X_SOURCE).uniform(size=(task.samples, 1))
    return x, task.noisy(task.source(x), seed, SOURCE_NOISE)


def _filter_samples(seeds: Sequence[int], samples: int, size: int) -> Tensor:
    """Draw each seed's `size` of its `samples` target data, without replacement, int64 (S, M)."""
    draws = [generator(seed, Purpose.FILTER).choice(samples, size, replace=False) for seed in seeds]
    return torch.from_numpy(np.stack(draws))
