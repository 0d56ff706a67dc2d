"""The corrector of Algorithm 1, as a protocol: what moves theta by an epoch, for all seeds at once."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from torch import Tensor


class EpochLoss(NamedTuple):
    """Each seed's mean loss over an epoch's mini-batches, while theta moves; float64 (S,).

    `objective` is what was minimised, `target` the loss on the target task, or None where an epoch does not give it.
    """

    objective: Tensor
    target: Tensor | None


class Ensemble(Protocol):
    """The corrector of Algorithm 1: moves all its seeds by one epoch on the problem at hand.

    Problems, and what is evaluated, are of the kind that the ensemble is made for: see `homotopy.tasks`.
    """

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters, (S, P)."""

    def epoch(self, problem: Any, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch (numbered from 1 within the run, which fixes its order) with step size lr."""

    def evaluate(self, *data: Any) -> Any:
        """Score each seed on data without training; float64 (S,) of each measure."""

    def reset_moments(self) -> None:
        """Forget the optimizer's moments, as at the start of a run."""

    def state(self) -> dict[str, Tensor]:
        """Everything that training changes, as tensors: enough to continue bit for bit."""

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned for an ensemble of the same shape."""
