"""Runs a configuration: the seeds that are missing, in groups that train together, into its result folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from homotopy.algorithm.adaptive import AdaptiveSteps
from homotopy.algorithm.continuation import Epoch, follow
from homotopy.algorithm.corrector import Ensemble
from homotopy.algorithm.deformations import Deformation
from homotopy.algorithm.predictors import PREDICTORS, Predictor
from homotopy.config import Config
from homotopy.progress import Progress, say
from homotopy.results import parameters
from homotopy.results.folder import RunFolder
from homotopy.results.locks import Holder, held, hold
from homotopy.results.provenance import provenance
from homotopy.solvers.build import build_ensemble, initial_theta
from homotopy.training import checkpoints, tensorboard
from homotopy.training.checkpoints import Checkpoint
from homotopy.training.device import Machine, group_width, prepare
from homotopy.training.history import History, measured
from homotopy.training.interruption import Interruption
from homotopy.training.sources import Sources

# told the epochs done, the lam of the last of them and the seeds that train together, in their order: it may look at
# them, and change nothing
Watch = Callable[[int, float, Ensemble], None]


def train_group(
    config: Config,
    seeds: Sequence[int],
    machine: Machine,
    folder: RunFolder,
    stop: Interruption,
    watch: Watch | None = None,
) -> None:
    """Train some seeds together, from their checkpoint if there is one, and add them to the folder."""
    deformation = config.task.load(seeds, machine.device, machine.dtype)
    checkpoint = Checkpoint(folder.path, seeds, config.runtime.checkpoint_minutes, stop)
    folder.check_data(deformation.provenance, [checkpoint.notes])
    checkpoint.notes["data"] = deformation.provenance
    model = config.model.network(deformation)
    if config.method.start == "source" and not checkpoint.found:
        theta, checkpoint.notes["source"] = Sources(config, deformation).get(seeds, machine, stop)
    else:
        theta = initial_theta(model, seeds, machine.device, machine.dtype)
    bfloat16 = config.precision == "bfloat16"
    ensemble = build_ensemble(model, config.optimizer, theta, config.batch_size, bfloat16=bfloat16)
    history = History(seeds, config.steps(), config.log_every)
    _train(config, ensemble, deformation, history, checkpoint, watch)
    checkpoint.save(config.epochs)  # whatever happens while results are written, nothing is trained twice
    if config.save:
        for seed, own in zip(seeds, ensemble.theta, strict=True):
            parameters.write(parameters.path_of(folder.path, seed), model, own)
    made = {
        "seconds": round(checkpoint.seconds, 1),
        "solver": type(ensemble).__name__,
        "precision": config.precision,
        **checkpoint.notes,
    }
    with folder.lock():
        folder.check_data(deformation.provenance, [])  # again: another process may have added seeds meanwhile
        folder.add(history.frame(), {"seeds": list(seeds), **made, **provenance(machine.device)}, history.diverged)
    checkpoint.remove()


def _path(config: Config) -> Predictor | AdaptiveSteps:
    """Return what remembers the path: the schedule's predictor, or the steps that seeds adapt."""
    if config.method.path == "adaptive":
        return AdaptiveSteps(config.control, config.budget.k, last=config.path_epochs)
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
    ensemble: Ensemble,
    deformation: Deformation,
    history: History,
    checkpoint: Checkpoint,
    watch: Watch | None,
) -> None:
    """Run Algorithm 1 from the checkpoint to the end."""
    path = _path(config)
    done = checkpoint.resume({"ensemble": ensemble, "history": history, "path": path})
    if watch and not done:
        watch(0, 0.0, ensemble)
    seeds = len(history.seeds)
    title = f"{config.task.label} {config.method.name}, {seeds} seeds"
    with (
        Progress(title, config.epochs, done, seeds) as progress,
        tensorboard.curves(config, history.seeds, done) as show,
    ):
        for epoch in _epochs(config, path, ensemble, deformation, done):
            history.watch(epoch.number, epoch.loss.objective)
            progress.advance(epoch.lam, float(epoch.loss.objective.median()))
            if epoch.number in history.epochs:
                found = measured(epoch, deformation, ensemble)
                history.add(found)
                show(epoch.number, found)
            if watch:
                watch(epoch.number, epoch.lam, ensemble)
            checkpoint.after(epoch.number)


def next_group(config: Config, folder: RunFolder, width: int, others: Sequence[Holder]) -> Sequence[int]:
    """Choose the seeds to train next: a group that was interrupted, else the first `width` that nobody trains.

    Checkpoints that are of no use any more, since all of their seeds are finished, are removed.
    """
    busy = [checkpoints.path_of(folder.path, holder.seeds) for holder in others]
    interrupted = checkpoints.saved(folder.path, besides=busy)
    mine = [saved for saved in interrupted if set(saved.seeds) <= set(config.seeds) and not held(others, saved.seeds)]
    trained = [seed for saved in mine if saved.done == config.epochs for seed in saved.seeds]
    finished = folder.finished().difference(trained)  # these are added again: adding them may have been interrupted
    for saved in interrupted:
        if finished.issuperset(saved.seeds):
            saved.path.unlink()
    free = [seed for seed in config.seeds if seed not in finished and not held(others, [seed])]
    return next((saved.seeds for saved in mine if set(saved.seeds) <= set(free)), free[:width])


def run(config: Config, watch: Watch | None = None) -> Path:
    """Train the seeds of a configuration that are not finished yet; return its result folder.

    What other processes are training is left to them. `watch` is called before the first epoch (0 done, lam 0) and
    after every epoch, for each group of seeds that train together; what a checkpoint had done it does not see.
    """
    folder = RunFolder(config.folder)
    if not folder.settled(config.identity(), config.seeds):
        machine = prepare(config)
        with folder.lock():
            folder.repair(config.identity())
        with Interruption() as stop:
            _train_missing(config, folder, machine, stop, watch)
    if lost := lacking(config):
        say(f"{folder.path}: {len(lost)} seeds were finished without save=true; another results.root trains them anew")
    return folder.path


def lacking(config: Config) -> list[int]:
    """Return the finished seeds whose parameters should be kept and are not: a finished seed is not trained again."""
    finished = sorted(RunFolder(config.folder).finished() & set(config.seeds)) if config.save else []
    return [seed for seed in finished if not parameters.path_of(config.folder, seed).exists()]


def _train_missing(
    config: Config, folder: RunFolder, machine: Machine, stop: Interruption, watch: Watch | None
) -> None:
    width = group_width(config, machine.device)
    while True:
        stop.answer()  # a signal that came after a group's last epoch
        with hold(folder.path, lambda others: next_group(config, folder, width, others)) as (seeds, others):
            if not seeds:
                break
            train_group(config, seeds, machine, folder, stop, watch)
    stop.answer()  # one that came while the last look for seeds waited
    for other in others:
        if theirs := held([other], config.seeds):
            say(f"{folder.path}: {len(theirs)} seeds are being trained by {other}; going on without them")
