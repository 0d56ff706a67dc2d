"""Runs a configuration: the seeds that are missing, in groups that train together, into its result folder."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from homotopy import checkpoints
from homotopy.adaptive import AdaptiveSteps
from homotopy.checkpoints import Checkpoint
from homotopy.config import Config, digest
from homotopy.continuation import Epoch, follow, solve_source
from homotopy.deformations import Deformation
from homotopy.ensemble import Ensemble
from homotopy.errors import ConfigError, ResultError
from homotopy.files import read_tensors, set_aside, write_tensors
from homotopy.fused import FusedEnsemble
from homotopy.graphed import GraphEnsemble
from homotopy.history import History
from homotopy.image_ensemble import ImageEnsemble
from homotopy.interruption import Interruption
from homotopy.locks import Holder, hold
from homotopy.models import MLP
from homotopy.optimizers import SGD, Adam
from homotopy.predictors import PREDICTORS, Predictor
from homotopy.progress import Progress, say
from homotopy.provenance import provenance
from homotopy.results import RunFolder
from homotopy.streams import Purpose, generator
from homotopy.vgg import VGG

# of parameters and data; with bfloat16 only the layers compute in it
DTYPES = {"float32": torch.float32, "tf32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


@dataclass(frozen=True)
class Machine:
    """Where tensors live and how many threads compute."""

    device: torch.device
    dtype: torch.dtype


def machine(config: Config) -> Machine:
    """Choose the device, the number of threads and the precision of matrix products."""
    name = config.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if config.precision == "tf32" and not name.startswith("cuda"):
        raise ConfigError("precision", "tf32", "float32 or float64 on a CPU: only a GPU computes in TF32")
    torch.set_float32_matmul_precision("high" if config.precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = config.precision == "tf32"  # PyTorch's default would have convolutions use it
    if config.threads:
        torch.set_num_threads(config.threads)
    return Machine(torch.device(name), DTYPES[config.precision])


def group_width(config: Config, device: torch.device) -> int:
    """Return how many seeds train together: all on a GPU; on a CPU few, so that finished seeds reach the disk early."""
    return config.width or (8 if device.type == "cpu" else len(config.seeds))


def build_ensemble(config: Config, model: MLP | VGG, rule: Adam | SGD, theta: Tensor) -> Ensemble:
    """Return the fastest ensemble for the model and the device at hand."""
    if isinstance(model, VGG):
        return ImageEnsemble(model, rule, theta, config.batch_size, bfloat16=config.precision == "bfloat16")
    kind = FusedEnsemble if theta.device.type == "cpu" else GraphEnsemble
    return kind(model, rule, theta, config.batch_size)


def initial_theta(model: MLP | VGG, seeds: Sequence[int], place: Machine) -> Tensor:
    """Draw every seed's random initialisation, (S, P)."""
    draws = [model.initial(generator(seed, Purpose.INITIALISATION)) for seed in seeds]
    return torch.from_numpy(np.stack(draws)).to(place.device, place.dtype)


class Sources:
    """The source solutions of one source task, each found once and kept in a file of its own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._folder = config.results / ".cache" / f"source-{digest(config.source_identity())}"

    def get(self, seeds: Sequence[int], deformation: Deformation, place: Machine, stop: Interruption) -> Tensor:
        """Return every seed's source solution, (S, P); those that no run has found yet are trained."""
        told = False
        while None in (kept := [self._kept(seed) for seed in seeds]):
            with hold(self._folder, lambda others: [] if _trained_by(others, seeds) else seeds) as (mine, others):
                if mine:
                    self._train(seeds, deformation, place, stop)
                    continue
            if not told:
                say(f"waiting for source solutions that {others[0]} is finding")
                told = True
            time.sleep(0.2)
            stop.answer()
        return torch.stack([theta for theta in kept if theta is not None]).to(place.device)

    def _kept(self, seed: int) -> Tensor | None:
        path = self._file(seed)
        if not path.exists():
            return None
        try:
            return read_tensors(path)["theta"]
        except ResultError as error:
            set_aside(path, str(error))
            return None

    def _file(self, seed: int) -> Path:
        return self._folder / f"seed-{seed}.pt"

    def _train(self, seeds: Sequence[int], deformation: Deformation, place: Machine, stop: Interruption) -> None:
        config = self._config
        model = config.model.network(deformation)
        ensemble = build_ensemble(config, model, Adam(config.source_lr), initial_theta(model, seeds, place))
        checkpoint = Checkpoint(self._folder, seeds, {"ensemble": ensemble}, config.checkpoint_minutes, stop)
        done = checkpoint.load()
        epochs = config.budget.source
        with Progress("source task", epochs, done) as progress:
            for epoch in solve_source(ensemble, deformation, epochs, config.source_lr, done=done):
                progress.advance(epoch.step.lam, float(epoch.loss.objective.median()))
                checkpoint.after(epoch.number)
        for seed, theta in zip(seeds, ensemble.theta.cpu(), strict=True):
            if not self._file(seed).exists():
                write_tensors(self._file(seed), {"theta": theta.clone()})
        checkpoint.remove()


def _trained_by(holders: Sequence[Holder], seeds: Sequence[int]) -> set[int]:
    return {seed for holder in holders for seed in holder.seeds}.intersection(seeds)


def train_group(config: Config, seeds: Sequence[int], place: Machine, folder: RunFolder, stop: Interruption) -> None:
    """Train some seeds together, from their checkpoint if there is one, and add them to the folder."""
    deformation = config.task.load(seeds, place.device, place.dtype)
    model = config.model.network(deformation)
    half_way = checkpoints.place(folder.path, seeds).exists()
    if config.method.start == "source" and not half_way:
        theta = Sources(config).get(seeds, deformation, place, stop)
    else:
        theta = initial_theta(model, seeds, place)
    ensemble = build_ensemble(config, model, config.optimizer.rule(), theta)
    history = History(seeds, config.steps(), config.log_every)
    path = build_path(config)
    parts: dict[str, checkpoints.Part] = {"ensemble": ensemble, "history": history, "path": path}
    checkpoint = Checkpoint(folder.path, seeds, parts, config.checkpoint_minutes, stop)
    _train(config, path, ensemble, deformation, history, checkpoint)
    checkpoint.save(config.epochs)  # whatever happens while results are written, nothing is trained twice
    made = {"seconds": round(checkpoint.seconds, 1), "precision": config.precision, "data": deformation.provenance}
    with folder.lock():
        folder.add(history.frame(), {"seeds": list(seeds), **made, **provenance(place.device)}, history.diverged)
    checkpoint.remove()


def build_path(config: Config) -> Predictor | AdaptiveSteps:
    """Return what remembers the path: the schedule's predictor, or the steps that seeds adapt."""
    if config.method.path == "adaptive":
        return AdaptiveSteps(config.control, config.budget.k, last=config.schedule.gamma * config.budget.k)
    return PREDICTORS[config.method.predictor]()


def _epochs(
    config: Config, path: Predictor | AdaptiveSteps, ensemble: Ensemble, deformation: Deformation, done: int
) -> Iterator[Epoch]:
    """Run Algorithm 1 after `done` epochs."""
    if isinstance(path, AdaptiveSteps):
        return path.follow(ensemble, deformation, range(done + 1, config.epochs + 1), config.step_size)
    reset = config.optimizer.moments == "reset"
    steps = config.steps()
    return follow(ensemble, deformation, steps, config.step_size, predictor=path, reset_moments=reset, done=done)


def _train(
    config: Config,
    path: Predictor | AdaptiveSteps,
    ensemble: Ensemble,
    deformation: Deformation,
    history: History,
    checkpoint: Checkpoint,
) -> None:
    """Run Algorithm 1 from the checkpoint to the end."""
    done = checkpoint.load()
    title = f"{config.task.label} {config.method.name}, {len(history.seeds)} seeds"
    with Progress(title, config.epochs, done) as progress:
        for epoch in _epochs(config, path, ensemble, deformation, done):
            history.watch(epoch.number, epoch.loss.objective)
            progress.advance(epoch.step.lam, float(epoch.loss.objective.median()))
            if epoch.number in history.epochs:
                found = {"train_loss": epoch.loss.objective}
                if epoch.loss.target is not None:
                    found["target_loss"] = epoch.loss.target
                if epoch.lams is not None:
                    found["lam"] = epoch.lams
                history.add(found | deformation.metrics(ensemble))
            checkpoint.after(epoch.number)


def next_group(config: Config, folder: RunFolder, width: int, others: Sequence[Holder]) -> Sequence[int]:
    """Choose the seeds to train next: a group that was interrupted, else the first `width` that nobody trains."""
    finished = folder.finished()
    busy = [checkpoints.place(folder.path, holder.seeds) for holder in others]
    for saved in checkpoints.saved(folder.path, besides=busy):
        if saved.done == config.epochs:
            finished -= set(saved.seeds)  # to be added again: the end of that may have been interrupted
        elif finished.issuperset(saved.seeds):
            saved.path.unlink()
    free = [seed for seed in config.seeds if seed not in finished and not _trained_by(others, [seed])]
    for saved in checkpoints.saved(folder.path, besides=busy):
        if set(saved.seeds) <= set(free):
            return saved.seeds
    return free[:width]


def run(config: Config) -> Path:
    """Train the seeds of a configuration that are not finished yet; return its result folder.

    What other processes are training is left to them.
    """
    folder = RunFolder(config.folder)
    if not folder.settled(config.identity(), config.seeds):
        with folder.lock():
            folder.repair(config.identity())
        with Interruption() as stop:
            _train_missing(config, folder, machine(config), stop)
    return folder.path


def _train_missing(config: Config, folder: RunFolder, place: Machine, stop: Interruption) -> None:
    width = group_width(config, place.device)
    while True:
        with hold(folder.path, lambda others: next_group(config, folder, width, others)) as (seeds, others):
            if not seeds:
                break
            train_group(config, seeds, place, folder, stop)
    for other in others:
        if theirs := _trained_by([other], config.seeds):
            say(f"{folder.path}: {len(theirs)} seeds are being trained by {other}; going on without them")
