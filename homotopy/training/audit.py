"""Trains committed runs again and compares them, digit for digit, with what is saved."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from homotopy import keys
from homotopy.config import Config, from_dict
from homotopy.errors import ConfigError, ResultError
from homotopy.results import outline
from homotopy.results.comparison import rows
from homotopy.results.folder import RunFolder
from homotopy.results.library import Place, jobs
from homotopy.training.runner import run


@dataclass(frozen=True)
class Pair:
    """A finished run of a folder: one configuration, of an experiment, and one seed."""

    folder: Path
    experiment: str
    seed: int
    solver: str | None  # None where metadata.json names none: another solver may have made the run

    def __str__(self) -> str:
        """Name the folder, the seed, and what is unknown."""
        known = "" if self.solver else " (unknown solver)"
        return f"{self.folder} seed {self.seed}{known}"


def chosen(runs: str, place: Place, choice: int) -> list[Pair]:
    """Return the runs of the sine study that `runs` asks for: how many at random, an experiment, or all.

    Random ones are of a known solver, and the same for the same `choice`. Raises UserError if there are none.
    """
    experiments = keys.names("experiment")
    if runs not in ("all", *experiments) and not (runs.isdecimal() and int(runs) > 0):
        raise ConfigError("runs", runs, f"an integer of at least 1, all, or one of {', '.join(experiments)}")
    pairs = _pairs([runs] if runs in experiments else experiments, place)
    if runs.isdecimal():
        pairs = [pair for pair in pairs if pair.solver]
        pairs = random.Random(choice).sample(pairs, min(int(runs), len(pairs)))
    if not pairs:
        raise ResultError(f"{place.folder} has no finished run of the sine study to audit")
    return pairs


def _pairs(experiments: Sequence[str], place: Place) -> list[Pair]:
    found: dict[Path, str] = {}
    for name, outlines in outline.experiments(experiments, place.results, place.profile).items():
        for each in outlines:
            if each.task == "sine":
                found.setdefault(each.folder, name)
    return [pair for folder, name in sorted(found.items()) for pair in _finished(folder, name)]


def _finished(folder: Path, experiment: str) -> list[Pair]:
    saved = RunFolder(folder)
    records = saved.metadata().get("records", [])
    solvers = {seed: record.get("solver") for record in records for seed in record.get("seeds", [])}
    return [Pair(folder, experiment, seed, solvers.get(seed)) for seed in sorted(saved.finished())]


@cache
def _configs(experiment: str, place: Place) -> dict[Path, Config]:
    configs = [from_dict(raw) for raw in jobs(experiment, place) if raw["job"] == "train"]
    return {config.folder: config for config in configs}


def check(pair: Pair, place: Place) -> tuple[str | None, float]:
    """Train a run again, on the CPU and in a temporary folder.

    Returns how its rows differ from the saved ones, None if they are equal to the byte, and the seconds it took.
    """
    config = _configs(pair.experiment, place)[pair.folder]
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="homotopy-audit-") as root:
        again = run(replace(config, seeds=(pair.seed,), device="cpu", results=Path(root)))
        found = difference(pair.folder, again, pair.seed)
    return found, time.monotonic() - begin


def difference(saved: Path, again: Path, seed: int) -> str | None:
    """Return how a seed's rows in two run folders differ, the first that does; None if they are equal to the byte."""
    return _difference(rows(saved)[seed], rows(again)[seed])


def _difference(saved: Sequence[str], again: Sequence[str]) -> str | None:
    for old, new in zip(saved, again, strict=False):
        if old != new:
            return f"{saved[0]}\n  saved {old}\n  again {new}"
    return None if len(saved) == len(again) else f"{len(saved) - 1} rows saved, {len(again) - 1} made again"
