"""Where a study stands: which runs are done, running, failed or missing, and how long the missing ones will take."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from homotopy import config, failures
from homotopy.config import Config
from homotopy.errors import Diverged, ResultError
from homotopy.failures import Failure
from homotopy.library import Place, jobs
from homotopy.locks import Holder, holders
from homotopy.provenance import hardware
from homotopy.results import RunFolder


@dataclass(frozen=True)
class State:
    """Where one configuration stands; a run is one of its seeds."""

    config: Config
    finished: frozenset[int]
    diverged: frozenset[int]
    holders: tuple[Holder, ...]
    failures: tuple[Failure, ...]
    records: tuple[Mapping[str, Any], ...]

    @property
    def done(self) -> int:
        """Finished runs of those asked for."""
        return len(self.finished.intersection(self.config.seeds))

    @property
    def running(self) -> int:
        """Runs that a process trains now."""
        return len({seed for holder in self.holders for seed in holder.seeds} & set(self.config.seeds) - self.finished)

    @property
    def missing(self) -> int:
        """Runs that are neither done nor running, failed ones included."""
        return len(self.config.seeds) - self.done - self.running

    @property
    def failed(self) -> int:
        """Missing runs of a configuration that failed when it was last tried."""
        return self.missing if self.failures else 0


def state(raw: Mapping[str, Any]) -> State:
    """Look up where a composed training job stands; a damaged result counts as missing and as a failure."""
    checked = config.from_dict(raw)
    folder = RunFolder(checked.folder)
    known = {"holders": tuple(holders(folder.path))}
    try:
        finished, metadata = folder.finished(), folder.metadata()
        failed = failures.of(raw) if set(checked.seeds) - finished else []
    except ResultError as error:
        damage = failures.of(raw) or [Failure(checked.name, str(error), "", "", "", [])]
        return State(checked, frozenset(), frozenset(), failures=tuple(damage), records=(), **known)
    diverged = frozenset(int(seed) for seed in metadata.get("diverged_at", {})) & set(checked.seeds)
    if diverged.issuperset(checked.seeds):
        hint = str(Diverged(f"all {len(checked.seeds)} seeds diverged", checked.optimizer.lr))
        failed.append(Failure(checked.name, hint, "", "", "", []))
    records = tuple(metadata.get("records", []))
    return State(checked, frozenset(finished), diverged, failures=tuple(failed), records=records, **known)


def experiments(names: Sequence[str], place: Place) -> dict[str, list[State]]:
    """Return the states of those of the experiments that train."""
    found = {}
    for name in names:
        if states := [state(raw) for raw in jobs(name, place) if raw["job"] == "train"]:
            found[name] = states
    return found


def _kind(of: Config) -> str:
    """Runs of one kind cost the same per epoch and sample."""
    return json.dumps([asdict(of.model), of.batch_size], sort_keys=True)


def _size(of: Config) -> int:
    """A run's epochs times its samples."""
    return of.epochs * (of.task.training_samples or 1)


def _device(of: Config) -> torch.device:
    """Return where runs would be trained here."""
    return torch.device("cuda" if of.device != "cpu" and torch.cuda.is_available() else "cpu")


def _cores(threads: int, runs: int, on_gpu: bool) -> int:
    return 1 if on_gpu else min(threads, runs)


def rates(states: Iterable[State]) -> dict[tuple[str, str], float]:
    """Return the median core-seconds per epoch and sample of one run, by task and kind, as finished runs recorded them.

    A run uses one core: a group of fewer seeds than threads leaves the others idle. A GPU counts as one core. Runs on
    other hardware count where there are none on this, and runs without a recorded solver where there are no others.
    """
    measured = defaultdict(list)
    for each in states:
        for record in each.records:
            if record.get("seconds") and record.get("seeds"):
                cores = _cores(record.get("threads", 1), len(record["seeds"]), record.get("device") == "cuda")
                rate = record["seconds"] * cores / len(record["seeds"]) / _size(each.config)
                here = record.get("hardware") == hardware(_device(each.config))
                measured[each.config.task.name, _kind(each.config)].append(((here, "solver" in record), rate))
    return {kind: _median_of_nearest(values) for kind, values in measured.items()}


def _median_of_nearest(measured: Sequence[tuple[tuple[bool, bool], float]]) -> float:
    nearest = max(nearness for nearness, _ in measured)
    return statistics.median(rate for nearness, rate in measured if nearness == nearest)


def seconds_left(states: Iterable[State], rate: Mapping[tuple[str, str], float]) -> tuple[float, bool]:
    """Return the seconds that the open runs will take on their threads, and whether that is all of them.

    A kind of run that was never timed counts as the slowest of its task; if there is none, it is not counted.
    """
    left, all_known = 0.0, True
    for each in states:
        task, runs = each.config.task.name, each.running + each.missing
        similar = [seconds for (name, _), seconds in rate.items() if name == task]
        if runs and similar:
            threads = each.config.threads or torch.get_num_threads()
            cores = _cores(threads, runs, _device(each.config).type == "cuda")
            left += runs * _size(each.config) * rate.get((task, _kind(each.config)), max(similar)) / cores
        all_known = all_known and bool(similar or not runs)
    return left, all_known


def _unique(states: Iterable[State]) -> list[State]:
    """Count what experiments share once, with the most seeds that one of them asks for."""
    largest: dict[Path, State] = {}
    for each in states:
        known = largest.setdefault(each.config.folder, each)
        if len(each.config.seeds) > len(known.config.seeds):
            largest[each.config.folder] = each
    return list(largest.values())


def _row(name: str, states: Sequence[State], rate: Mapping[tuple[str, str], float]) -> list[str]:
    runs = sum(len(each.config.seeds) for each in states)
    counts = [sum(getattr(each, what) for each in states) for what in ("done", "running", "failed", "missing")]
    left, all_known = seconds_left(states, rate)
    time_left = (tqdm.format_interval(left) if left else "-") if all_known else f"over {tqdm.format_interval(left)}"
    diverged = sum(len(each.diverged) for each in states)
    counts[3] -= counts[2]
    return [name, *map(str, [runs, *counts, diverged]), time_left]


def overview(found: Mapping[str, Sequence[State]]) -> str:
    """Return a table of all experiments, their sum without what they share twice, who trains, and what failed."""
    every = _unique(each for states in found.values() for each in states)
    rate = rates(every)
    head = ["experiment", "runs", "done", "running", "failed", "missing", "diverged", "time left"]
    rows = [_row(name, _unique(states), rate) for name, states in found.items()]
    lines = aligned([head, *rows, _row("all", every, rate)])
    for each in every:
        lines += [f"running: {each.config.name}, {len(h.seeds)} seeds, {h}" for h in each.holders]
    if failed := [failure for each in every for failure in each.failures]:
        lines += ["", *failure_table(failed)]
    return "\n".join(lines)


def problems(raw: Mapping[str, Any]) -> list[Failure]:
    """Return what is wrong with a job that was to be finished."""
    if raw["job"] != "train":
        return failures.of(raw)
    found = state(raw)
    if found.failures or not found.missing:
        return list(found.failures)
    return [Failure(found.config.name, "its process ended without a word", "", "", "", [])]


def failure_table(found: Sequence[Failure]) -> list[str]:
    """Say what failed, why, and the command that repeats it."""
    rows = [[failure.job, failure.why, failure.command or "the same command"] for failure in found]
    return aligned([["job", "why", "repeat it with"], *rows], numbers=False)


def aligned(rows: Sequence[Sequence[str]], *, numbers: bool = True) -> list[str]:
    """Return a table's rows as lines; after the first column, numbers go to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    adjust = [str.ljust, *([str.rjust if numbers else str.ljust] * (len(widths) - 1))]
    return ["  ".join(f(c, w) for f, c, w in zip(adjust, row, widths, strict=True)).rstrip() for row in rows]
