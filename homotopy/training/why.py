"""Trains runs with a look at their networks on the way: `python scripts/train.py experiment=why`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble
from homotopy.algorithm.deformations import linear
from homotopy.config import Config
from homotopy.errors import ConfigError
from homotopy.job import Job
from homotopy.results.files import write_csv
from homotopy.results.library import made_in
from homotopy.settings import at_least, build, given, rule
from homotopy.tasks.sine import Sine
from homotopy.training import probes
from homotopy.training.again import watched
from homotopy.training.probes import Data

TABLES = ("epochs", "stations")
CURVED = 2000  # of the training samples, from which the curvature is found: all of them take four times as long


@dataclass(frozen=True)
class Settings:
    """How often and how closely to look."""

    every: int = rule(at_least(1), "an integer of at least 1 (epochs)")
    iterations: int = rule(at_least(2), "an integer of at least 2 (of Lanczos' method)")


def settings(job: Job) -> Settings:
    """Check a job's `why` and what it needs; raise ConfigError for the first mistake."""
    use = job.config
    if not isinstance(use.task, Sine) or use.task.features != "raw":
        raise ConfigError("task", use.task.label, "the sine study with task.features=raw")
    if use.model.name != "mlp":
        raise ConfigError("model", use.model.name, "mlp")
    if use.method.path == "adaptive":
        raise ConfigError("method.path", "adaptive", "direct or schedule, on which all seeds have the same lam")
    if not use.task.ends_at_target:
        raise ConfigError("task.deformation", use.task.deformation, "one whose problem at lam = 1 is the target task")
    return build(Settings, given(job.composed, "why"), "why")


class Probe:
    """Looks at an ensemble every few epochs, and more closely at its stations: where lam may change, and at the end.

    `epochs` and `stations` are rows of the tables that docs/why.md describes.
    """

    def __init__(self, use: Config, look: Settings) -> None:
        self._use, self._look = use, look
        self._deformation = use.task.load(use.seeds, torch.device("cpu"), torch.float64)
        self._model = use.model.network(self._deformation)
        self._grid = torch.linspace(0, 1, probes.POINTS, dtype=torch.float64).unsqueeze(1)
        k, last = use.budget.k, use.epochs
        self._stations = [*range(k, use.path_epochs + 1, k), *([last] if use.budget.final else [])]
        self._before: tuple[float, Tensor] | None = None
        self._start = self._length = torch.zeros(0)
        self.epochs: list[pd.DataFrame] = []
        self.stations: list[pd.DataFrame] = []

    def __call__(self, epoch: int, lam: float, ensemble: Ensemble) -> None:
        """Look, if it is time."""
        if epoch % self._look.every and epoch not in self._stations and epoch != 1:
            return
        theta = ensemble.theta.cpu().double()
        if not epoch:
            self._start, self._length = theta, torch.zeros(len(theta), dtype=torch.float64)
            self._before = (0.0 if self._use.method.path == "schedule" else 1.0, theta)
        of_epoch = self._of_epoch(lam if epoch else self._use.steps()[0].lam, theta)
        self.epochs.append(self._frame(epoch, lam, of_epoch))
        if epoch in self._stations:
            phase = "step" if epoch <= self._use.path_epochs else "final"
            self.stations.append(self._frame(epoch, lam, self._of_station(phase, lam, theta)))
            self._before = (lam, theta)

    def _frame(self, epoch: int, lam: float, found: dict[str, Any]) -> pd.DataFrame:
        keys = {"method": self._use.method.name, "seed": list(self._use.seeds), "epoch": epoch, "lam": lam}
        return pd.DataFrame(keys | found)

    def _of_epoch(self, lam: float, theta: Tensor) -> dict[str, Any]:
        values = self._model.forward(theta, self._grid.expand(len(theta), -1, -1))[..., 0]
        wanted, omega = problem(self._use.task, lam, self._grid[:, 0])
        found = probes.periods(values, wanted, omega)
        dead = probes.dead_units(self._model, theta, self._grid)
        source, target = probes.amplitudes(values, [self._use.task.source_omega, self._use.task.omega]).T
        ends = np.minimum(found.front + found.back, found.fitted) / np.maximum(found.fitted, 1)
        return {
            "omega": omega, "periods": int(np.ceil(omega / (2 * np.pi))), **found._asdict(),
            "ends": np.where(found.fitted, ends, 1.0), "dead": dead.mean(1), "dead_most": dead.max(1),
            **{f"dead_{i + 1}": share for i, share in enumerate(dead.T)},
            "amplitude_source": source, "amplitude_omega": target,
            "distance": (theta - self._start).norm(dim=1).numpy(),
        }  # fmt: skip

    def _of_station(self, phase: str, lam: float, theta: Tensor) -> dict[str, Any]:
        assert self._before is not None  # the first look is before the first epoch
        lam_before, before = self._before
        at = self._deformation.at(lam)
        data = Data(at.x, at.y)
        way = (theta - before).norm(dim=1)
        self._length = self._length + way
        with torch.no_grad():
            jump, loss = (probes.losses(self._model, each, data) for each in (before, theta))
            barrier = probes.barrier(self._model, (before, theta), data)
        some = Data(at.x[:, :CURVED], at.y[:, :CURVED])
        mu, largest = probes.curvature(self._model, theta, some, self._look.iterations)
        return {
            "phase": phase,
            "jump": jump.numpy(), "loss": loss.numpy(), "tracking": (loss / jump).numpy(), "barrier": barrier,
            "way": way.numpy(), "delta": (way / (lam - lam_before)).numpy() if lam > lam_before else np.nan,
            "length": self._length.numpy(), "distance": (theta - self._start).norm(dim=1).numpy(),
            "mu": mu, "largest": largest,
        }  # fmt: skip


def problem(task: Sine, lam: float, x: Tensor) -> tuple[Tensor, float]:
    """Return the values of H(., lam) at x (X,) without noise, and the omega whose periods they have."""
    if task.deformation == "frequency":
        omega = (1 - lam) * task.source_omega + lam * task.omega
        return torch.sin(omega * x), omega
    source = torch.zeros_like(x) if task.deformation == "amplitude" else torch.sin(task.source_omega * x)
    return linear(source, torch.sin(task.omega * x), lam), task.omega


def look(job: Job) -> None:
    """Train a configuration in a temporary folder and write <method>-<table>.csv into the job's `folder`.

    Raises ResultError if a run that is saved does not come out again to the byte.
    """
    use = job.config
    probe = Probe(use, settings(job))
    watched(use, probe)
    where = folder(job)
    for table, frames in zip(TABLES, (probe.epochs, probe.stations), strict=True):
        path = where / file(Path(), use.method.name, table).name
        write_csv(path, pd.concat(frames).sort_values(["seed", "epoch"], ignore_index=True))
        print(path)


def folder(job: Job) -> Path:
    """Return <results>/<profile>/why, or a folder of its own in it for what experiment=why does not ask for."""
    return made_in("why", job, "why", lambda each: [each.config.identity(), each.config.seeds, asdict(settings(each))])


def file(folder: Path, method: str, table: str) -> Path:
    """Return where a profile's folder has a method's table."""
    return folder / "why" / f"{method}-{table}.csv"
