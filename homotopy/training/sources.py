"""Source solutions, which every method that starts from the source shares (Algorithm 1, line 1)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from homotopy.algorithm.continuation import solve_source
from homotopy.algorithm.deformations import Deformation
from homotopy.config import Config
from homotopy.errors import ResultError
from homotopy.identity import digest
from homotopy.progress import Progress, say
from homotopy.results.files import damage_set_aside, read_tensors, write_tensors
from homotopy.results.locks import held, hold
from homotopy.results.provenance import provenance
from homotopy.solvers.build import build_ensemble, initial_theta
from homotopy.solvers.optimizers import Adam
from homotopy.training.checkpoints import Checkpoint
from homotopy.training.device import Machine
from homotopy.training.interruption import Interruption


class Source(NamedTuple):
    """A seed's source solution, (P,), and how it was made: solver, data, and `homotopy.results.provenance`."""

    theta: Tensor
    origin: dict[str, Any]


class Sources:
    """The source solutions of one source task, each found once and kept in a file of its own."""

    def __init__(self, config: Config, deformation: Deformation) -> None:
        """Look in the folder of the same settings and data files, whichever run made it."""
        files = [data["md5"] for data in deformation.provenance]
        identity = {**config.source_identity(), "data": files}
        self._config, self._deformation = config, deformation
        self._folder = config.results / ".cache" / f"source-{digest(identity)}"

    def get(self, seeds: Sequence[int], machine: Machine, stop: Interruption) -> tuple[Tensor, list[dict[str, Any]]]:
        """Return every seed's source solution, (S, P), and their origins.

        Where one is missing all are trained together, and those that were kept stay.
        An origin says which seeds' source solutions were made together, by which solver and code, and from which data.
        """
        told = False
        while None in (kept := [self._kept(seed) for seed in seeds]):
            with hold(self._folder, lambda others: [] if held(others, seeds) else seeds) as (mine, others):
                if mine:  # else another process trains at least one of the seeds: wait for it
                    if not all(self._file(seed).exists() for seed in seeds):  # it may have ended just now
                        self._train(seeds, machine, stop)
                    continue
            if not told:
                theirs = next(other for other in others if held([other], seeds))
                say(f"waiting for source solutions that {theirs} is finding")
                told = True
            time.sleep(0.2)
            stop.answer()
        found = [source for source in kept if source is not None]
        self._check_sizes(found)
        return torch.stack([source.theta for source in found]).to(machine.device), _origins(seeds, found)

    def _check_sizes(self, found: Sequence[Source]) -> None:
        """Raise ResultError where the network has other parameters: a task's code may change, and its settings not."""
        needed = self._config.model.network(self._deformation).size
        for size in {len(source.theta) for source in found} - {needed}:
            raise ResultError(
                f"{self._folder}: these source solutions have {size} parameters and the network {needed}, as the task "
                "has changed since; give it another name, or choose another results.root"
            )

    def _kept(self, seed: int) -> Source | None:
        path = self._file(seed)
        if not path.exists():
            return None
        with damage_set_aside(path):
            origin, tensors = read_tensors(path)
            return Source(tensors["theta"], origin)
        return None

    def _file(self, seed: int) -> Path:
        return self._folder / f"seed-{seed}.pt"

    def _train(self, seeds: Sequence[int], machine: Machine, stop: Interruption) -> None:
        config = self._config
        model = config.model.network(self._deformation)
        theta = initial_theta(model, seeds, machine.device, machine.dtype)
        bfloat16 = config.precision == "bfloat16"
        ensemble = build_ensemble(model, Adam(config.source_lr), theta, config.batch_size, bfloat16=bfloat16)
        checkpoint = Checkpoint(self._folder, seeds, config.runtime.checkpoint_minutes, stop)
        done = checkpoint.resume({"ensemble": ensemble})
        epochs = config.budget.source
        with Progress("source task", epochs, done) as progress:
            for epoch in solve_source(ensemble, self._deformation, epochs, config.source_lr, done=done):
                progress.advance(epoch.lam, float(epoch.loss.objective.median()))
                checkpoint.after(epoch.number)
        made = {"solver": type(ensemble).__name__, "data": self._deformation.provenance}
        origin = {**made, **provenance(machine.device)}
        for seed, theta in zip(seeds, ensemble.theta.cpu(), strict=True):
            if not self._file(seed).exists():
                write_tensors(self._file(seed), origin, {"theta": theta.clone()})
        checkpoint.remove()


def _origins(seeds: Sequence[int], found: Sequence[Source]) -> list[dict[str, Any]]:
    """Return every different origin once, after the seeds that have it."""
    origins: list[dict[str, Any]] = []
    for source in found:
        if source.origin not in origins:
            origins.append(source.origin)
    return [
        {"seeds": [seed for seed, source in zip(seeds, found, strict=True) if source.origin == origin], **origin}
        for origin in origins
    ]
