"""A real run from its first epoch to its last: the states and problems from which contestants train on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmark import solvers
from homotopy import compose
from homotopy.algorithm.continuation import follow, solve_source
from homotopy.config import Config, from_dict
from homotopy.results.files import read_tensors, write_tensors
from homotopy.solvers.fused import FusedEnsemble
from homotopy.solvers.optimizers import Adam
from homotopy.tasks.regression import Regression

# a homotopy of the paper's scale, whose path takes 5 steps of 400 epochs, and 500 on the target follow
RUN = ("profile=paper", "method=homotopy", "task.omega=116", "schedule.gamma=5", "budget.k=400")
TITLE = "The homotopy to omega 116 in five steps of 400 epochs"
EPOCHS = 2500


class Moment(NamedTuple):
    """The state of the run's first seeds, each tensor (S, P), when so many epochs are done, and the next one's lam."""

    done: int
    lam: float
    state: dict[str, Tensor]

    def write(self, path: Path) -> None:
        """Keep it in a file, for other processes."""
        write_tensors(path, {"done": self.done, "lam": self.lam}, self.state)

    def subnormals(self) -> str:
        """Say how many of Adam's moments of a seed are subnormal, on average."""
        told = []
        for name, words in (("exp_avg", "first"), ("exp_avg_sq", "second")):
            values = self.state[name]
            subnormal = (values != 0) & (values.abs() < torch.finfo(values.dtype).smallest_normal)
            told.append(f"{subnormal.sum().item() / len(values):,.0f} of the {words}")
        return f"moments, {' and '.join(told)} (of {values.shape[1]:,} each) are subnormal"


def read(path: Path) -> Moment:
    """Return the moment that a file holds."""
    head, state = read_tensors(path)
    return Moment(head["done"], head["lam"], state)


def samples() -> int:
    """Return the samples of an epoch."""
    return int(_task(1).target().x.shape[1])


@cache
def config() -> Config:
    """Return the run's configuration."""
    (raw,) = compose.jobs(list(RUN))
    return from_dict(raw)


@cache
def _task(seeds: int) -> Any:
    return config().task.load(range(seeds), solvers.CPU, torch.float32)


def moments(done: Sequence[int], seeds: int) -> Iterator[Moment]:
    """Train the run's first seeds, and yield when so many epochs are done, in rising order.

    Subnormal numbers are kept, as other programs keep them: our own solver makes them 0, and would give the other
    contestants states that none of them reaches.
    """
    run, model = config(), config().model.network(_task(seeds))
    source = FusedEnsemble(model, Adam(run.source_lr), solvers.initial(model, seeds), run.batch_size)
    for _ in solve_source(source, _task(seeds), run.budget.source, run.source_lr):
        pass
    ensemble = solvers.KeptSubnormals(model, run.optimizer, source.theta, run.batch_size)
    lams = {number: step.lam for step in run.steps() for number in step.epochs}  # lam at each epoch
    epochs = (epoch.number for epoch in follow(ensemble, _task(seeds), run.steps(), run.step_size))
    for number in itertools.chain([0], epochs):
        if number in done:
            yield Moment(number, lams[number + 1], ensemble.state())
        if number >= max(done):
            break


def epoch_from(build: solvers.Build, moment: Moment, seeds: int) -> Callable[[], object]:
    """Return a function that trains `seeds` seeds for one epoch, from the moment on: the run's own, repeated."""
    run, own = config(), len(moment.state["theta"])
    rows = torch.arange(seeds) % own
    state = {name: value[rows] if value.ndim else value for name, value in moment.state.items()}
    at = _task(own).at(moment.lam)
    data = Regression(at.x[rows], at.y[rows], at.y_target[rows], [at.seeds[row] for row in rows])
    trainer = build(run.model.network(_task(own)), run.optimizer, state["theta"], run.batch_size)
    trainer.load(state)
    epochs = itertools.count(moment.done + 1)
    return lambda: trainer.epoch(data, next(epochs), run.optimizer.lr).objective
