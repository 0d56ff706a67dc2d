"""What a task is to the rest of the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch


class Task(Protocol):
    """A frozen dataclass: a source task, a target task, and how one is deformed into the other."""

    @property
    def name(self) -> str:
        """Its key in `homotopy.tasks.TASKS`."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models that can learn it."""

    @property
    def label(self) -> str:
        """The task's folder among the results."""

    @property
    def title(self) -> str:
        """The task above a figure."""

    @property
    def training_samples(self) -> int | None:
        """Samples that are trained on; None where only the data can tell."""

    @property
    def tries_steps(self) -> bool:
        """Whether each seed may have its own lam, and a step's loss be known before its training."""

    @property
    def ends_at_target(self) -> bool:
        """Whether H(., 1) is the target task's problem, on which a method without a path trains at once."""

    def identity(self, *, needs_source: bool, needs_path: bool) -> dict[str, object]:
        """Return the settings that can change a run's numbers."""

    def source_identity(self) -> dict[str, object]:
        """Return the settings that can change the source solution."""

    def check_data(self) -> None:
        """Raise DataError or ConfigError, soon, if the task's files are missing, damaged, unofficial or too few."""

    def load(self, seeds: Sequence[int], device: torch.device, dtype: torch.dtype) -> Any:
        """Return the `homotopy.algorithm.deformations.Deformation` between the two tasks, with every seed's data."""
