"""The theory's measurements as one command: `python scripts/train.py experiment=theory`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from homotopy.job import Job
from homotopy.results.files import write_atomic, write_csv
from homotopy.results.library import made_in
from homotopy.settings import at_least, build, given, rule
from homotopy.streams import Purpose, generator
from homotopy.theory import gaussian_filter, iterates, lipschitz, near_optimum, statements, summary, tracking
from homotopy.theory.problems import Problem, strongly_convex
from homotopy.theory.sgd import Rows


def _problems(use: Settings) -> list[Problem]:
    return strongly_convex(generator(use.seed, Purpose.THEORY, 0))


FILES: dict[str, Callable[[Settings], Rows]] = {
    "lipschitz": lambda use: lipschitz.rows(_problems(use)),
    "iterates": lambda use: iterates.rows(_problems(use), use.repetitions, use.seed),
    "tracking": lambda use: tracking.rows(_problems(use), use.repetitions, use.seed),
    "local": lambda use: near_optimum.rows(use.repetitions, use.seed),
    "statements": lambda use: statements.rows(use.repetitions, use.seed),
    "filter_error": lambda use: gaussian_filter.error_rows(use.filter_repetitions, use.seed),
    "filter_ends": lambda use: gaussian_filter.end_rows(),
    "run": lambda use: tracking.one_run(use.seed)[0],
    "balls": lambda use: tracking.one_run(use.seed)[1],
}
TABLED = ("lipschitz", "iterates", "tracking", "local", "statements")


@dataclass(frozen=True)
class Settings:
    """How much is measured, and which files are made."""

    repetitions: int = rule(at_least(20), "an integer of at least 20 (independent SGD runs)")
    filter_repetitions: int = rule(at_least(2), "an integer of at least 2 (draws of the filter's samples)")
    seed: int = rule(at_least(0), "an integer of at least 0")
    files: list = rule(
        lambda names: len(names) > 0 and all(name in list(FILES) for name in names), f"a list of {', '.join(FILES)}"
    )


def settings(job: Job) -> Settings:
    """Check a job's `theory`; raise ConfigError for the first mistake."""
    return build(Settings, given(job.composed, "theory"), "theory")


def folder(job: Job) -> Path:
    """Return <results>/<profile>/theory, or a folder of its own in it for other repetitions or another seed."""
    return made_in("theory", job, "theory", lambda each: asdict(replace(settings(each), files=[])))


def measure(job: Job) -> None:
    """Write <name>.csv for every name asked for into the job's `folder`, and the tables if all of theirs were."""
    use, path = settings(job), folder(job)
    frames = {}
    for name in use.files:
        frames[name] = pd.DataFrame(FILES[name](use))
        write_csv(path / f"{name}.csv", frames[name])
        print(path / f"{name}.csv")
    if set(TABLED) <= set(frames):
        write_tables(path, frames, use.repetitions)


def write_tables(folder: Path, frames: Mapping[str, pd.DataFrame], repetitions: int) -> None:
    """Write bounds.csv, steps.csv, bounds.md and statements.md from the measurements."""
    bounds = summary.bounds_table(*(frames[name] for name in TABLED[:4]))
    steps = summary.steps_table(frames["tracking"])
    write_csv(folder / "bounds.csv", bounds)
    write_csv(folder / "steps.csv", steps)
    texts = {
        "bounds": summary.bounds_text(bounds, steps, repetitions),
        "statements": summary.statements_text(frames["statements"]),
    }
    for name, text in texts.items():
        write_atomic(folder / f"{name}.md", text.encode())
        print(folder / f"{name}.md")
