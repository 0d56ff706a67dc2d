"""Tasks that are functions: the values of two of them at the same x, of which one is mixed into the other (Eq. 14)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble
from homotopy.algorithm.deformations import Deformation, linear
from homotopy.errors import ConfigError
from homotopy.settings import at_least, between, rule
from homotopy.streams import Purpose, generator
from homotopy.tasks.regression import Regression

# parts of a seed's data stream; the numbers are part of every result
X, SOURCE_NOISE, TARGET_NOISE = range(3)


class FunctionSamples(NamedTuple):
    """Every seed's x (S, N, inputs) and the two tasks' values there, each (S, N, outputs)."""

    x: Tensor
    y_source: Tensor
    y_target: Tensor


class SharedInputs:
    """From one task's values to another's at the same x: y = (1 - lam) y_source + lam y_target, Eq. 14.

    Where there are test data, x and the target's values at it, `metrics` gives `test_loss`.
    """

    def __init__(
        self, samples: FunctionSamples, seeds: Sequence[int], test: tuple[Tensor, Tensor] | None = None
    ) -> None:
        self._samples, self._seeds, self._test = samples, seeds, test
        self.provenance: list[dict] = []  # no files are read

    def source(self) -> Regression:
        """Return the source task's problem."""
        return Regression(self._samples.x, self._samples.y_source, None, self._seeds, Purpose.SOURCE_SHUFFLING)

    def at(self, lam: float | Tensor) -> Regression:
        """Return the problem H(., lam), lam one number or each seed's own (S, 1, 1)."""
        x, y_source, y_target = self._samples
        if isinstance(lam, Tensor):
            lam = lam.to(y_source)
        return Regression(x, linear(y_source, y_target, lam), y_target, self._seeds)

    def target(self) -> Regression:
        """Return the target task's problem."""
        x, _, y_target = self._samples
        return Regression(x, y_target, y_target, self._seeds)

    def metrics(self, ensemble: Ensemble) -> dict[str, Tensor]:
        """Return the loss on the target's test set."""
        return {"test_loss": ensemble.evaluate(*self._test)} if self._test else {}


@dataclass(frozen=True)
class FunctionTask:
    """Two functions of x ~ U(0, 1)^inputs, with noise N(0, noise^2) on the values of each.

    A task of one's own is a subclass, again a frozen dataclass, with a `name` and the methods `source` and `target`.
    """

    noise: float = rule(at_least(0), "a number of at least 0 (standard deviation)")
    samples: int = rule(at_least(2), "an integer of at least 2 (per data set)")
    train_fraction: float = rule(between(0, 1), "strictly between 0 and 1")
    name: str = ""
    inputs: ClassVar[int] = 1
    models: ClassVar[tuple[str, ...]] = ("mlp",)

    def source(self, x: np.ndarray) -> np.ndarray:
        """Return the source task's values, (samples, outputs) or (samples,), at x (samples, inputs)."""
        raise NotImplementedError

    def target(self, x: np.ndarray) -> np.ndarray:
        """Return the target task's values, (samples, outputs) or (samples,), at x (samples, inputs)."""
        raise NotImplementedError

    @property
    def tries_steps(self) -> bool:
        """Whether each seed may have its own lam, and a step's loss be known before its training."""
        return True

    @property
    def ends_at_target(self) -> bool:
        """Whether H(., 1) is the target task's problem, on which a method without a path trains at once."""
        return True

    @property
    def label(self) -> str:
        """The task's folder among the results."""
        return self.name

    @property
    def title(self) -> str:
        """The task above a figure."""
        return self.name

    @property
    def training_samples(self) -> int:
        """Samples that are trained on; the rest is for testing."""
        return int(self.samples * self.train_fraction)

    def identity(self, *, needs_source: bool, needs_path: bool) -> dict[str, object]:
        """Return the settings that can change a run's numbers."""
        return asdict(self)

    def source_identity(self) -> dict[str, object]:
        """Return the settings that can change the source solution."""
        return asdict(self)

    def check_data(self) -> None:
        """Need no files."""

    def load(self, seeds: Sequence[int], device: torch.device, dtype: torch.dtype) -> Deformation:
        """Draw every seed's data and return the deformation between them."""
        samples = FunctionSamples(*stacked([self.draw(seed) for seed in seeds], device, dtype))
        train, test = split(samples, self.training_samples)
        return SharedInputs(train, seeds, (test.x, test.y_target))

    def draw(self, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw a seed's x (samples, inputs) and both tasks' noisy values there, each (samples, outputs)."""
        x = generator(seed, Purpose.DATA, X).uniform(size=(self.samples, self.inputs))
        y_source, y_target = (columns(values, self) for values in (self.source(x), self.target(x)))
        if y_source.shape != y_target.shape:
            told = f"{y_source.shape[1]} for the source and {y_target.shape[1]} for the target"
            raise ConfigError("task.name", self.name, f"a task whose functions have as many outputs (they have {told})")
        return x, self.noisy(y_source, seed, SOURCE_NOISE), self.noisy(y_target, seed, TARGET_NOISE)

    def noisy(self, values: np.ndarray, seed: int, part: int) -> np.ndarray:
        """Add a seed's noise, of a part of its own of the data stream, to values (samples, outputs)."""
        return values + self.noise * generator(seed, Purpose.DATA, part).standard_normal(values.shape)


def columns(values: np.ndarray, task: FunctionTask) -> np.ndarray:
    """Return a function's values, (samples,) or (samples, outputs), as (samples, outputs); else raise ConfigError."""
    found = np.asarray(values)
    found = found[:, None] if found.ndim == 1 else found
    if found.ndim != 2 or len(found) != task.samples:
        n = task.samples
        told = f"a task whose functions return ({n},) or ({n}, outputs) (one returns {np.shape(values)})"
        raise ConfigError("task.name", task.name, told)
    return found


def stacked(draws: Sequence[Sequence[np.ndarray]], device: torch.device, dtype: torch.dtype) -> list[Tensor]:
    """Return what each seed drew, part by part, as tensors (S, samples, ...)."""
    return [torch.from_numpy(np.stack(part)).to(device, dtype) for part in zip(*draws, strict=True)]


def split(samples: FunctionSamples, n: int) -> tuple[FunctionSamples, FunctionSamples]:
    """Return each seed's first n samples, and the rest."""
    return FunctionSamples(*(part[:, :n] for part in samples)), FunctionSamples(*(part[:, n:] for part in samples))
