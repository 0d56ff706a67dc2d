"""Algorithm 1 with steps of lam that every seed adapts to its own path, as continuation codes do.

At the end of a step the next one is first tried without training, at twice the length of the last. It is halved as
long as the loss there is too large. The corrector then runs until the step has settled, that is until the loss has
fallen to a share of what it was when the step began, and at most for k epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from homotopy.algorithm.continuation import Epoch
from homotopy.algorithm.corrector import Ensemble
from homotopy.algorithm.deformations import Deformation
from homotopy.settings import between, rule

_SHARE = "strictly between 0 and 1"


@dataclass(frozen=True)
class Control:
    """How steps are adapted.

    The first step of a path has the length `first`, and none is halved to less than `least`. A step may bring the loss
    to at most `growth` times what it is now, or `growth` times a loss that counts as solved, if that is larger: this
    is `solved` times the loss that a jump to lam = 1 would have had at the start. A step has settled when its loss is
    at most `settled` times what it was when the step began.
    """

    first: float = rule(between(0, 1), f"{_SHARE} (the first step of lam)")
    least: float = rule(between(0, 1), f"{_SHARE} (the smallest step of lam)")
    solved: float = rule(between(0, 1), f"{_SHARE} (a loss that counts as solved, over the loss of a jump to lam = 1)")
    growth: float = rule(between(1, 1000), "above 1 and below 1000 (of the loss, or of a solved loss, by a step)")
    settled: float = rule(between(0, 1), f"{_SHARE} (a settled step's loss over its first)")


class AdaptiveSteps:
    """Every seed's place on its own path. After `last` epochs lam is 1 for all, however far they have come.

    Its state, each float64 (S,) on the CPU: `lam` and the step `size` that led there, `first_loss` before the step's
    training, the epochs `spent` on it, and `jump`, the loss of a jump to lam = 1 at the start.
    """

    def __init__(self, control: Control, k: int, last: int) -> None:
        """Allow a step at most k epochs."""
        self._control, self._k, self._last = control, k, last
        self._state: dict[str, Tensor] = {}

    def state(self) -> dict[str, Tensor]:
        """All of it, as tensors."""
        return dict(self._state)

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned."""
        self._state = dict(state)

    def follow(
        self, ensemble: Ensemble, deformation: Deformation, epochs: range, step_size: Callable[[int], float]
    ) -> Iterator[Epoch]:
        """Run the numbered epochs. Yield after each, when it is already known which seeds then begin a new step."""
        if not self._state:
            self._begin(ensemble, deformation)
        for number in epochs:
            lams = self._state["lam"]
            loss = ensemble.epoch(_problem(deformation, lams), number, step_size(number))
            self._after(number, loss.objective.cpu(), ensemble, deformation)
            yield Epoch(number, float(lams.median()), loss, lams)

    def _begin(self, ensemble: Ensemble, deformation: Deformation) -> None:
        zero = torch.zeros(len(ensemble.theta), dtype=torch.float64)
        jump = _objective(zero + 1, ensemble, deformation)
        self._state = {"lam": zero, "size": zero + self._control.first, "first_loss": zero, "spent": zero, "jump": jump}
        self._enter(zero == 0, zero + self._control.first, ensemble, deformation)

    def _after(self, number: int, loss: Tensor, ensemble: Ensemble, deformation: Deformation) -> None:
        """Let every seed go on with its step or begin the next."""
        state = self._state
        state["spent"] = state["spent"] + 1
        settled = loss <= self._control.settled * state["first_loss"]
        done = (state["lam"] < 1) & (settled | (state["spent"] >= self._k))
        if number == self._last:
            state["lam"] = torch.ones_like(loss)
        elif done.any():
            self._enter(done, 2 * state["size"], ensemble, deformation)

    def _enter(self, chosen: Tensor, size: Tensor, ensemble: Ensemble, deformation: Deformation) -> None:
        """Begin the next step of the chosen seeds (S,), at most of this size (S,), as long as the loss allows."""
        state, control = self._state, self._control
        here = _objective(state["lam"], ensemble, deformation)
        allowed = control.growth * torch.maximum(here, control.solved * state["jump"])
        while True:
            lam = (state["lam"] + size).clamp_max(1)
            there = _objective(lam, ensemble, deformation)
            steep = chosen & (there > allowed) & (size > control.least)
            if not steep.any():
                break
            size = torch.where(steep, (size / 2).clamp_min(control.least), size)
        entered = {"lam": lam, "size": size, "first_loss": there, "spent": torch.zeros_like(size)}
        for name, value in entered.items():
            state[name] = torch.where(chosen, value, state[name])


def _problem(deformation: Deformation, lams: Tensor) -> Any:
    """The problem at each seed's own lam (S,), to be mixed with data (S, N, 1)."""
    return deformation.at(lams.reshape(-1, 1, 1))  # type: ignore[arg-type]  # only tasks that can are asked to


def _objective(lams: Tensor, ensemble: Ensemble, deformation: Deformation) -> Tensor:
    problem = _problem(deformation, lams)
    return ensemble.evaluate(problem.x, problem.y).cpu()
