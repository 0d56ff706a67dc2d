"""Trains committed runs again and compares them, digit for digit, with what is saved."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch

from homotopy import keys
from homotopy.config import Config
from homotopy.errors import ConfigError, ResultError, UserError
from homotopy.progress import say
from homotopy.results import outline
from homotopy.results.comparison import INEXACT, Tolerance
from homotopy.results.folder import RunFolder
from homotopy.results.library import Library, Place
from homotopy.results.provenance import hardware
from homotopy.training.again import differences

# what image runs may differ by where the processor differs (docs/determinism.md): there PyTorch's sums have another
# order, and epochs of Adam magnify that
IMAGES = Tolerance(loss=0.5, accuracy=0.1)


@dataclass(frozen=True)
class Pair:
    """A finished run of a folder: one configuration, of an experiment, and one seed."""

    folder: Path
    experiment: str
    seed: int
    solver: str | None  # None where metadata.json names none: another solver may have made the run
    hardware: str | None = None  # that made the run

    def __str__(self) -> str:
        """Name the folder, the seed, and what is unknown."""
        known = "" if self.solver else " (unknown solver)"
        return f"{self.folder} seed {self.seed}{known}"


def chosen(runs: str, place: Place, choice: int) -> list[Pair]:
    """Return the runs that `runs` asks for: how many of the sine study at random, those of an experiment, or all.

    Random ones are of a known solver, and the same for the same `choice`. Left out are runs of the solvers `INEXACT`
    and, of all, those whose data are missing, which is said. Raises UserError if there are none, or if data are missing
    of those asked for by name.
    """
    experiments = keys.names("experiment")
    if runs.isdecimal() and int(runs) > 0:
        pairs = [pair for pair in _exact(_of_sine(experiments, place)) if pair.solver]
        pairs = random.Random(choice).sample(pairs, min(int(runs), len(pairs)))
    elif runs in ("all", *experiments):
        pairs = _exact(_of(experiments if runs == "all" else [runs], place))
    else:
        raise ConfigError("runs", runs, f"an integer of at least 1, all, or one of {', '.join(experiments)}")
    if not pairs:
        raise ResultError(f"{place.folder} has no finished run to audit")
    configs = {pair.folder: _configs(pair.experiment, place)[pair.folder] for pair in pairs}
    usable = {folder for folder, config in configs.items() if _has_data(config, required=runs != "all")}
    return [pair for pair in pairs if pair.folder in usable]


def _has_data(config: Config, *, required: bool) -> bool:
    """Whether a configuration's data are here; say what is missing, or raise UserError where it is required."""
    try:
        config.task.check_data()
    except UserError as error:
        if required:
            raise
        say(f"left out: {config.name}: {error}")
        return False
    return True


def _of_sine(experiments: list[str], place: Place) -> dict[Path, str]:
    """Return the folders of the sine study with their experiments, without composing any of them."""
    outlines = outline.experiments(experiments, place.results, place.profile)
    return {each.folder: name for name in reversed(experiments) for each in outlines[name] if each.task == "sine"}


def _of(experiments: list[str], place: Place) -> dict[Path, str]:
    """Return the folders of experiments, each with the first that has it."""
    return {folder: name for name in reversed(experiments) for folder in _configs(name, place)}


@cache
def _configs(experiment: str, place: Place) -> dict[Path, Config]:
    """Return what an experiment trains, by folder, on the copy of the data that has results."""
    return {job.config.folder: job.config for job in Library(place).jobs(experiment) if job.trains}


def _exact(folders: Mapping[Path, str]) -> list[Pair]:
    return [pair for pair in _finished(folders) if pair.solver not in INEXACT]


def _finished(folders: Mapping[Path, str]) -> list[Pair]:
    return [pair for folder, experiment in sorted(folders.items()) for pair in _pairs(folder, experiment)]


def _pairs(folder: Path, experiment: str) -> list[Pair]:
    saved = RunFolder(folder)
    records = saved.metadata()["records"]
    made = {seed: (r.get("solver"), r.get("hardware")) for r in records for seed in r.get("seeds", [])}
    return [Pair(folder, experiment, seed, *made.get(seed, (None, None))) for seed in sorted(saved.finished())]


def check(pair: Pair, place: Place) -> tuple[str | None, float]:
    """Train a run again, on the CPU and in a temporary folder.

    Returns how its rows differ from the saved ones, None if they are equal, and the seconds it took. Equal is to the
    byte, but for image runs of another processor, which may deviate by `IMAGES`.
    """
    config = _configs(pair.experiment, place)[pair.folder]
    begin = time.monotonic()
    found = differences(replace(config, seeds=(pair.seed,)), tolerance=tolerance(pair, place))
    return found[pair.seed], time.monotonic() - begin


def tolerance(pair: Pair, place: Place) -> Tolerance | None:
    """Return what values of the run made again here may deviate by; None where every byte must be the same."""
    task = _configs(pair.experiment, place)[pair.folder].task
    is_exact = task.name == "sine" or pair.hardware == hardware(torch.device("cpu"))
    return None if is_exact else IMAGES
