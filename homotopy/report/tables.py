"""The report's tables, from saved results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from homotopy import keys
from homotopy.job import Job
from homotopy.report.evidence import NEAR_THE_END, curves, final_losses, shared_seeds
from homotopy.results import outline, status
from homotopy.results.intervals import ratio_of_medians
from homotopy.results.library import Library, Result, by_task, incomplete
from homotopy.results.methods import BASELINES, METHODS
from homotopy.results.statistics import first_epoch, median, settled
from homotopy.results.timing import seconds_per_epoch, shared_hardware
from homotopy.training import why

SEARCHES = ("search_fashion", "search_cifar")
MARGIN = 1.25  # of medians: within this factor two methods end alike


def fair(results: Sequence[Result]) -> pd.DataFrame:
    """Return, for each task and method, settled losses, and epochs and seconds with the source solution's counted.

    `epochs to` is the median over seeds, infinite where half of them never come to the `threshold`: 1.25 times the
    largest of the methods' final medians, and at most half of the largest first one.
    """
    rows = []
    for group in by_task(results):
        methods = [r for r in group if not r.curves.empty]
        seeds = shared_seeds(methods)
        if not seeds:
            continue
        machine = shared_hardware(methods)
        seconds = seconds_per_epoch(methods, machine) if machine else np.nan
        tables = [curves(r, "target_loss", seeds, count_source=True).settled() for r in methods]
        first, last = (max(float(median(c.losses[:, i])) for c in tables) for i in (0, -1))
        threshold = min(NEAR_THE_END * last, first / 2)
        for found, table in zip(methods, tables, strict=True):
            epochs = found.config.epochs + found.config.source_epochs
            rows.append(
                {
                    "task": found.config.task.label, "method": found.config.method.name,
                    "n": len(seeds), "epochs": epochs,
                    "train loss": float(median(table.final)),
                    "test loss": float(median(settled(*curves(found, "test_loss", seeds)))),
                    "threshold": threshold,
                    "epochs to": float(median(first_epoch(table.epochs, table.losses, threshold))),
                    "seconds per run": epochs * seconds,
                    "hardware": machine or "",
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def sensitivity(experiment: str, jobs: Sequence[Job], results: Sequence[Result]) -> pd.DataFrame:
    """Return, for each setting of an experiment that varies them, the settled losses' medians and their ordering.

    `jobs` are what it asks for, the default first, and `results` theirs.

    `ratio` is that of the better baseline's median over the homotopy's, with an interval (`low`, `high`) made for 95 %;
    `ordering` compares it with 1.25: yes, alike, no, with "(open)" where the interval has 1 inside; empty without
    results of all three methods.
    """
    default = _flat(jobs[0].composed)
    settings: dict[str, dict[str, Result]] = {}
    for job, found in zip(jobs, results, strict=True):
        changed = {key: value for key, value in _flat(job.composed).items() if default.get(key) != value}
        label = ", ".join(f"{key}={value}" for key, value in changed.items()) or "default"
        settings.setdefault(label, {})[found.config.method.name] = found
    return pd.DataFrame(
        [{"experiment": experiment, "setting": label, **_ordering(methods)} for label, methods in settings.items()]
    )


def _flat(composed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a command line may change, but for the method, as key.key -> value."""
    leaves = {key: value for key, value in keys.dotted(composed) if not isinstance(value, Mapping)}
    return {key: value for key, value in leaves.items() if not key.startswith(("method.", "budgets."))}


def _ordering(found: Mapping[str, Result]) -> dict[str, Any]:
    final = final_losses([r for r in found.values() if not r.curves.empty])
    row: dict[str, Any] = {"n": len(next(iter(final.values()), ()))}
    row |= {name: float(median(final[name])) if name in final else np.nan for name in METHODS}
    if not all(name in final for name in METHODS):
        return row | {"ratio": np.nan, "low": np.nan, "high": np.nan, "ordering": ""}
    ratio = ratio_of_medians(final["homotopy"][None], np.stack([final[name][None] for name in BASELINES]))
    ordering = "yes" if ratio.value >= MARGIN else "no" if ratio.value <= 1 / MARGIN else "alike"
    is_open = ratio.low <= 1 <= ratio.high
    if ordering == "alike":
        is_open = ratio.low < 1 / MARGIN or ratio.high > MARGIN
    ordering += " (open)" if is_open else ""
    return row | {"ratio": ratio.value, "low": ratio.low, "high": ratio.high, "ordering": ordering}


def completeness(library: Library, names: Sequence[str]) -> pd.DataFrame:
    """Return, for each of these experiments, what of it is there, from which hardware and code.

    So many of its different `configurations` are `complete`, and so many of its `runs` are `done`. An experiment that
    trains nothing has files in the place of configurations, and no runs.
    """
    rows = []
    for name in names:
        jobs = library.jobs(name)
        rows.append(
            _trained(name, jobs)
            if jobs[0].trains
            else _made(name, [path for job in jobs for path in _files(job, library.place.folder)])
        )
    return pd.DataFrame(rows)


def _made(name: str, files: Sequence[Path]) -> dict[str, Any]:
    there = sum(path.exists() for path in files)
    nothing = dict.fromkeys(("runs", "done", "least seeds", "most seeds", "diverged"), 0)
    return {
        "experiment": name, "configurations": len(files), "complete": there, **nothing, "hardware": "", "code": "",
    }  # fmt: skip


def _files(job: Job, folder: Path) -> list[Path]:
    """Return what a job that trains nothing makes in the profile's folder."""
    if job.kind == "illustrate":
        return [folder / "illustrations" / f"{job.composed['illustration']}.csv.gz"]
    if job.kind == "why":
        return [why.file(folder, job.config.method.name, table) for table in why.TABLES]
    return [folder / "theory" / f"{name}.csv" for name in job.composed["theory"]["files"]]


def _trained(name: str, jobs: Sequence[Job]) -> dict[str, Any]:
    outlines = {job.config.folder: outline.of(job.config) for job in jobs}
    states = [status.look_up(each) for each in outlines.values()]
    records = [r for state in states for r in state.records if set(r["seeds"]) & set(state.config.seeds)]
    done = [state.done for state in states]
    return {
        "experiment": name,
        "configurations": len(states),
        "complete": sum(state.done == len(state.config.seeds) for state in states),
        "runs": sum(len(state.config.seeds) for state in states),
        "done": sum(done),
        "least seeds": min(done),
        "most seeds": max(done),
        "diverged": sum(len(state.diverged) for state in states),
        "hardware": "; ".join(sorted({r["hardware"] for r in records if r.get("hardware")})),
        "code": _code(records),
    }


def _code(records: Sequence[Mapping[str, Any]]) -> str:
    """Return each solver with its commits, as in "FusedEnsemble: 0123456, 789abcd-dirty", source solutions included.

    "-dirty" is git's word for code that differs from the commit.
    """
    commits = defaultdict(set)
    for made in (*records, *(origin for record in records for origin in record.get("source", []))):
        commit = (made.get("commit") or "unknown")[:7] + ("-dirty" if made.get("dirty") else "")
        commits[made.get("solver", "unknown solver")].add(commit)
    return "; ".join(f"{solver}: {', '.join(sorted(found))}" for solver, found in sorted(commits.items()))


def search(results: Sequence[Result]) -> pd.DataFrame:
    """Return the search for the image studies' settings: what was tried, its final train losses, and the best of each.

    `losses` has those of all seeds, `loss` their mean, by which the `best` of a method on a target is the least once
    all have all their seeds; `accuracy` is the mean on the test images, for information.
    """
    tried = [(found.config.task.target, found.config.method.name) for found in results]
    rows = []
    for found, (target, method) in zip(results, tried, strict=True):
        if found.curves.empty:
            continue
        of, losses = found.config, found.final("target_loss")
        rows.append(
            {
                "target": target, "method": method, "batch": of.batch_size,
                "gamma": of.schedule.gamma, "k": of.budget.k, "final": of.budget.final,
                "losses": " ".join(f"{loss:.4f}" for loss in losses), "loss": float(losses.mean()),
                "accuracy": float(found.final("accuracy").mean()),
            }
        )  # fmt: skip
    if not rows:
        return pd.DataFrame()
    table = pd.DataFrame(rows)
    groups = table.groupby(["target", "method"])["loss"]
    lacking = incomplete(tried, results)
    keys = zip(table["target"], table["method"], strict=True)
    complete = pd.Series([key not in lacking for key in keys], index=table.index)
    return table.assign(best=complete & (table["loss"] == groups.transform("min")))
