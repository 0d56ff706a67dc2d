"""Algorithm 1. Random initialisation, warm start and homotopy are settings of it.

Two switches make the methods: where theta starts (at random, or at the source solution) and which path it follows
(the schedule, or directly lam = 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from homotopy.algorithm.corrector import Ensemble, EpochLoss
from homotopy.algorithm.deformations import Deformation
from homotopy.algorithm.predictors import Constant, Predictor

_CONSTANT = Constant()


class Step(NamedTuple):
    """One value of lam and the epochs that its corrector runs, numbered from 1 within the run."""

    lam: float
    epochs: range
    final: bool = False


class Epoch(NamedTuple):
    """An epoch of a run, after its training."""

    number: int
    lam: float  # where every seed has its own, their median
    loss: EpochLoss
    lams: Tensor | None = None  # (S,), where every seed has its own


def plan(schedule: Sequence[float], k: int, final: int) -> list[Step]:
    """Lay out the run: k epochs at each lam of the schedule, then `final` epochs on the target."""
    steps = [Step(lam, range(i * k + 1, (i + 1) * k + 1)) for i, lam in enumerate(schedule)]
    end = len(schedule) * k
    return [*steps, Step(1.0, range(end + 1, end + final + 1), final=True)]


def follow(
    ensemble: Ensemble,
    deformation: Deformation,
    steps: Sequence[Step],
    step_size: Callable[[int], float],
    *,
    predictor: Predictor = _CONSTANT,
    reset_moments: bool = False,
    done: int = 0,
) -> Iterator[Epoch]:
    """Run Algorithm 1 and yield after every epoch.

    `step_size` maps an epoch's number to the solver's step size. `predictor` may move theta before a step; the paper's
    does not. With `reset_moments` the solver forgets its moments whenever lam changes. `done` epochs were run before:
    the ensemble holds the state at their end.
    """
    lam = 0.0
    for step in steps:  # lines 5 and 6
        problem: Any = deformation.target() if step.final else deformation.at(step.lam)
        if step.lam != lam and done < step.epochs.start:
            predictor.predict(ensemble, problem, lam, step.lam)
            if reset_moments and lam > 0:
                ensemble.reset_moments()
        lam = step.lam
        for number in step.epochs:  # line 7
            if number > done:
                yield Epoch(number, lam, ensemble.epoch(problem, number, step_size(number)))


def solve_source(
    ensemble: Ensemble, deformation: Deformation, epochs: int, step_size: float, *, done: int = 0
) -> Iterator[Epoch]:
    """Find the source solution, theta ~ argmin H(., 0): Algorithm 1's line 1. Yield after every epoch after `done`."""
    problem = deformation.source()
    for number in range(done + 1, epochs + 1):
        yield Epoch(number, 0.0, ensemble.epoch(problem, number, step_size))
