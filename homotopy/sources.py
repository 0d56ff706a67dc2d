"""Source solutions, which every method that starts from the source shares (Algorithm 1, line 1)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from homotopy.checkpoints import Checkpoint
from homotopy.config import Config, digest
from homotopy.continuation import solve_source
from homotopy.deformations import Deformation
from homotopy.errors import ResultError
from homotopy.files import read_tensors, set_aside, write_tensors
from homotopy.interruption import Interruption
from homotopy.locks import held, hold
from homotopy.machine import Machine, build_ensemble, initial_theta
from homotopy.optimizers import Adam
from homotopy.progress import Progress, say


class Sources:
    """The source solutions of one source task, each found once and kept in a file of its own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._folder = config.results / ".cache" / f"source-{digest(config.source_identity())}"

    def get(self, seeds: Sequence[int], deformation: Deformation, machine: Machine, stop: Interruption) -> Tensor:
        """Return every seed's source solution, (S, P); those that no run has found yet are trained."""
        told = False
        while None in (kept := [self._kept(seed) for seed in seeds]):
            with hold(self._folder, lambda others: [] if held(others, seeds) else seeds) as (mine, others):
                if mine:
                    self._train(seeds, deformation, machine, stop)
                    continue
            if not told:
                say(f"waiting for source solutions that {others[0]} is finding")
                told = True
            time.sleep(0.2)
            stop.answer()
        return torch.stack([theta for theta in kept if theta is not None]).to(machine.device)

    def _kept(self, seed: int) -> Tensor | None:
        path = self._file(seed)
        if not path.exists():
            return None
        try:
            return read_tensors(path)[1]["theta"]
        except ResultError as error:
            set_aside(path, str(error))
            return None

    def _file(self, seed: int) -> Path:
        return self._folder / f"seed-{seed}.pt"

    def _train(self, seeds: Sequence[int], deformation: Deformation, machine: Machine, stop: Interruption) -> None:
        config = self._config
        model = config.model.network(deformation)
        ensemble = build_ensemble(config, model, Adam(config.source_lr), initial_theta(model, seeds, machine))
        checkpoint = Checkpoint(self._folder, seeds, config.checkpoint_minutes, stop)
        done = checkpoint.resume({"ensemble": ensemble})
        epochs = config.budget.source
        with Progress("source task", epochs, done) as progress:
            for epoch in solve_source(ensemble, deformation, epochs, config.source_lr, done=done):
                progress.advance(epoch.lam, float(epoch.loss.objective.median()))
                checkpoint.after(epoch.number)
        for seed, theta in zip(seeds, ensemble.theta.cpu(), strict=True):
            if not self._file(seed).exists():
                write_tensors(self._file(seed), {}, {"theta": theta.clone()})
        checkpoint.remove()
