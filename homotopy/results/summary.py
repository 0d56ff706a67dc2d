"""What a command's runs have found, in a few lines: every setting's seeds and losses, and what draws them."""

from __future__ import annotations

import shlex
from collections.abc import Container, Sequence
from contextlib import suppress

import numpy as np

from homotopy import keys
from homotopy.errors import ResultError
from homotopy.job import Job
from homotopy.results.library import Place, Result, result, span, telling
from homotopy.results.methods import LABELS

# keys that labels leave out: the method has its own place, omega stands in the task's name, the rest follows from these
_UNLABELLED = ("budgets.", "method.", "results.", "theory.", "why.", "log_every", "seeds", "task.omega")
HEAD = "train loss on the target: median of each seed's last 100 epochs (at most a fifth of the run), then of all seeds"
_DRAWN = {"appendix_c": "figc", "frequency": "limits", "theory": "fig9"}  # figures whose experiments have other names


def loss(found: Result) -> float:
    """Return the median over seeds of the settled train loss on the target; infinite where half of them diverged."""
    return float(np.median(found.settled("target_loss")))


def lines(jobs: Sequence[Job]) -> list[str]:
    """Return a line for each setting of some training jobs: its seeds and every method's loss; none without results.

    A damaged result counts as none: what reads it next says so.
    """
    rows: dict[str, list[Result]] = {}
    for job, label in zip(jobs, _labels(jobs), strict=True):
        with suppress(ResultError):
            found = result(job.config)
            if not found.curves.empty:
                rows.setdefault(label, []).append(found)
    return [_line(label, results) for label, results in rows.items()]


def _line(label: str, results: Sequence[Result]) -> str:
    methods = ", ".join(f"{_method(found)} {in_digits(loss(found))}" for found in results)
    seeds = span([found.seeds for found in results])
    return f"{label}, {seeds} seed{'s' if seeds != '1' else ''}: {methods}"


def _method(found: Result) -> str:
    name = found.config.method.name
    return LABELS.get(name, name)


def in_digits(value: float) -> str:
    """Return a loss with two digits, in words where it is infinite."""
    return f"{value:.2g}" if np.isfinite(value) else "diverged"


def _labels(jobs: Sequence[Job]) -> list[str]:
    """Return each job's task and those of its settings in which the jobs differ."""
    flat = [
        {key: value for key, value in keys.dotted(job.composed) if not isinstance(value, dict | None)} for job in jobs
    ]
    every = dict.fromkeys(key for each in flat for key in each if not key.startswith(_UNLABELLED))
    differing = [key for key in every if len({str(each.get(key)) for each in flat}) > 1]
    told = [[f"{key.rpartition('.')[2]} {each[key]}" for key in differing if key in each] for each in flat]
    return [", ".join([job.config.task.label, *words]) for job, words in zip(jobs, told, strict=True)]


def drawing(experiments: Sequence[str], job: Job, overrides: Sequence[str], figures: Container[str]) -> str:
    """Return the command that draws what experiments made, or judges it; nothing where there is none for it.

    `figures` are those that scripts/plot.py knows.
    """
    place = Place(job.config.results, job.config.profile, telling(overrides))
    names = dict.fromkeys(_DRAWN.get(each, each) for each in experiments)
    drawn = [name for name in names if name in figures]
    if drawn:
        return shlex.join(["python", "scripts/plot.py", *drawn, *place.options])
    if experiments and not place.overrides:
        return shlex.join(["python", "scripts/report.py", *place.options])
    return ""
