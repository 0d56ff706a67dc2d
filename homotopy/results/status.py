"""Where a study stands: which runs are done, running, failed or missing, and how long the missing ones will take.

Nothing here needs PyTorch, and files are not compared with their checksums: whoever trains or draws does that.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from homotopy import processor
from homotopy.errors import Diverged, ResultError
from homotopy.results import failures, outline
from homotopy.results.failures import Failure
from homotopy.results.files import CONFIG, METADATA, RUNS, parsed_metadata
from homotopy.results.locks import Holder, held, holders
from homotopy.results.outline import Outline

if TYPE_CHECKING:
    from homotopy.job import Job


@dataclass(frozen=True)
class State:
    """Where one configuration stands; a run is one of its seeds."""

    config: Outline
    finished: frozenset[int] = frozenset()
    diverged: frozenset[int] = frozenset()
    holders: tuple[Holder, ...] = ()
    failures: tuple[Failure, ...] = ()
    records: tuple[Mapping[str, Any], ...] = ()

    @property
    def done(self) -> int:
        """Finished runs of those asked for."""
        return len(self.finished.intersection(self.config.seeds))

    @property
    def running(self) -> int:
        """Runs that a process trains now."""
        return len(held(self.holders, self.config.seeds) - self.finished)

    @property
    def missing(self) -> int:
        """Runs that are neither done nor running, failed ones included."""
        return len(self.config.seeds) - self.done - self.running

    @property
    def failed(self) -> int:
        """Missing runs of a configuration that failed when it was last tried."""
        return self.missing if self.failures else 0


def look_up(of: Outline) -> State:
    """Look up where a configuration stands; a damaged result counts as missing and as a failure."""
    trainers = tuple(holders(of.folder))
    kept: list[Failure] = []
    try:
        kept = failures.kept(of.folder.parent.parent, of.name)
        metadata = _metadata(of.folder)
    except ResultError as error:
        return State(of, holders=trainers, failures=tuple(kept or [Failure(of.name, str(error))]))
    finished = frozenset(metadata.get("seeds", []))
    failed = kept if set(of.seeds) - finished else []
    diverged = frozenset(int(seed) for seed in metadata.get("diverged_at", {})) & set(of.seeds)
    if of.seeds and diverged.issuperset(of.seeds):
        failed.append(Failure(of.name, str(Diverged(f"all {len(of.seeds)} seeds diverged", of.lr))))
    return State(of, finished, diverged, trainers, tuple(failed), tuple(metadata.get("records", [])))


def _metadata(folder: Path) -> dict[str, Any]:
    """Return what is known of a folder's runs; ResultError if that cannot be read, or if the runs are gone."""
    path, runs = folder / METADATA, folder / RUNS
    try:
        found = parsed_metadata(path.read_bytes(), path)
        if runs.stat().st_size == 0:
            raise ResultError(f"{runs} is truncated or altered: it is empty")
        return found
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ResultError(f"{path} cannot be read: {error.strerror}") from error


def experiments(names: Sequence[str], results: Path, profile: str) -> dict[str, list[State]]:
    """Return the states of those of the experiments that train."""
    outlines = outline.experiments(names, results, profile)
    return {name: [look_up(each) for each in found] for name, found in outlines.items() if found}


def others(found: Mapping[str, Sequence[State]], folder: Path) -> list[State]:
    """Return the states of the results in a profile's folder that are of none of the experiments."""
    known = {each.config.folder for states in found.values() for each in states}
    begun = {path.parent for name in (CONFIG, METADATA) for path in folder.glob(f"*/*/{name}")}
    paths = sorted(begun - known)
    return [look_up(_besides(path)) for path in paths]


def _besides(folder: Path) -> Outline:
    """Return the outline of results that no experiment asks for: what is there is all that was asked for."""
    try:
        seeds = tuple(_metadata(folder).get("seeds", []))
    except ResultError:
        seeds = ()
    return Outline(folder, seeds, task="", kind="", size=1, lr=0.0, threads=None, device="cpu")


@cache
def _hardware(device: str) -> str:
    """Return the name of what runs would be trained on here."""
    if not device.startswith("cuda"):
        return processor.name()
    import torch

    from homotopy.results import provenance

    return provenance.hardware(torch.device(device)) if torch.cuda.is_available() else ""


def _cores(threads: int, runs: int, on_gpu: bool) -> int:
    """Return how many cores train a group of runs: each run uses one, and a GPU counts as one."""
    return 1 if on_gpu else min(threads, runs)


def rates(states: Iterable[State]) -> dict[tuple[str, str], float]:
    """Return the median core-seconds per epoch and sample of one run, by task and kind, as finished runs recorded them.

    Of a kind, only the runs count that are most like those to come: on this machine by a recorded solver, else on this
    machine, else by a recorded solver, else any.
    """
    measured: dict[tuple[str, str], dict[tuple[bool, bool], list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in states:
        for record in each.records:
            if record.get("seconds") and record.get("seeds"):
                cores = _cores(record.get("threads", 1), len(record["seeds"]), record.get("device") == "cuda")
                rate = record["seconds"] * cores / len(record["seeds"]) / each.config.size
                here = record.get("hardware") == _hardware(each.config.device)
                measured[each.config.task, each.config.kind][here, "solver" in record].append(rate)
    return {kind: statistics.median(found[max(found)]) for kind, found in measured.items()}


def seconds_left(states: Iterable[State], rate: Mapping[tuple[str, str], float]) -> tuple[float, bool]:
    """Return the seconds that the open runs will take on their threads, and whether that is all of them.

    A kind of run that was never timed counts as the slowest of its task; if there is none, it is not counted.
    """
    left, all_known = 0.0, True
    for each in states:
        task, runs = each.config.task, each.running + each.missing
        similar = [seconds for (name, _), seconds in rate.items() if name == task]
        if runs and similar:
            cores = _cores(each.config.threads or processor.threads(), runs, each.config.device.startswith("cuda"))
            left += runs * each.config.size * rate.get((task, each.config.kind), max(similar)) / cores
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
    sums = (sum(getattr(each, what) for each in states) for what in ("done", "running", "failed", "missing"))
    done, running, failed, missing = sums
    left, all_known = seconds_left(states, rate)
    shown = tqdm.format_interval(left) if left else "-"
    time_left = shown if all_known else f"over {shown}" if left else "unknown"
    diverged = sum(len(each.diverged) for each in states)
    return [name, *map(str, [runs, done, running, failed, missing - failed, diverged]), time_left]


def overview(
    found: Mapping[str, Sequence[State]], besides: Sequence[State] = (), failed: Sequence[Failure] = ()
) -> str:
    """Return a table of all experiments, their sum without what they share twice, who trains, and what failed.

    `besides` are the states of results that are of no experiment, `failed` the failures of jobs that save no runs, too.
    """
    every = _unique(each for states in found.values() for each in states)
    rate = rates(every)
    head = ["experiment", "runs", "done", "running", "failed", "missing", "diverged", "time left"]
    rows = [_row(name, _unique(states), rate) for name, states in found.items()]
    rows.append(_row("all", every, rate))
    if besides:
        rows.append(_row("of no experiment", besides, rate))
    lines = aligned([head, *rows])
    for each in [*every, *besides]:
        lines += [f"running: {each.config.name}, {len(h.seeds)} seeds, {h}" for h in each.holders]
    told = [failure for each in [*every, *besides] for failure in each.failures]
    told += [failure for failure in failed if failure.job not in {each.config.name for each in [*every, *besides]}]
    if told:
        lines += ["", *failure_table(told)]
    return "\n".join(lines)


def problems(job: Job) -> list[Failure]:
    """Return what is wrong with a job that was to be finished."""
    if not job.trains:
        return failures.of(job)
    found = look_up(outline.of(job.config))
    if found.failures or not found.missing:
        return list(found.failures)
    return [Failure(found.config.name, "its process ended without a word")]


def failure_table(found: Sequence[Failure]) -> list[str]:
    """Say what failed, why, and the command that repeats it."""
    rows = [[failure.job, failure.why, failure.command or "the same command"] for failure in found]
    return aligned([["job", "why", "repeat it with"], *rows], numbers=False)


def aligned(rows: Sequence[Sequence[str]], *, numbers: bool = True) -> list[str]:
    """Return a table's rows as lines; after the first column, numbers go to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    adjust = [str.ljust, *([str.rjust if numbers else str.ljust] * (len(widths) - 1))]
    return ["  ".join(f(c, w) for f, c, w in zip(adjust, row, widths, strict=True)).rstrip() for row in rows]
