"""Finds the results of an experiment: the folders of the configurations that its file composes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from homotopy import compose, config
from homotopy.errors import ResultError
from homotopy.results import RunFolder
from homotopy.statistics import quantile


@dataclass(frozen=True)
class Place:
    """A profile's results, and where its figures go."""

    results: Path
    profile: str

    @property
    def folder(self) -> Path:
        """The profile's folder."""
        return self.results / self.profile

    @property
    def figures(self) -> Path:
        """The figures' folder."""
        return self.folder / "figures"


@dataclass(frozen=True)
class Result:
    """One configuration and the curves of its finished seeds: seed, epoch, lam, phase and metrics."""

    config: config.Config
    curves: pd.DataFrame

    @property
    def seeds(self) -> int:
        """n, the number of finished seeds."""
        return int(self.curves["seed"].nunique())

    def table(self, metric: str) -> np.ndarray:
        """Return the metric as (seeds, points)."""
        return self.curves.pivot(index="seed", columns="epoch", values=metric).to_numpy()

    @property
    def epochs(self) -> np.ndarray:
        """The recorded epochs, (points,)."""
        return np.sort(self.curves["epoch"].unique())

    def final(self, metric: str) -> np.ndarray:
        """Return the metric at the last epoch, (seeds,)."""
        return self.table(metric)[:, -1]


def configurations(experiment: str, place: Place) -> list[config.Config]:
    """Return every configuration of an experiment."""
    overrides = [f"experiment={experiment}", f"profile={place.profile}", f"results.root={place.results}"]
    return [config.from_dict(raw) for raw in compose.jobs(overrides)]


def result(of: config.Config) -> Result:
    """Return a configuration's finished seeds, of those it asks for; none at all where nothing is finished."""
    curves = RunFolder(of.folder).runs()
    return Result(of, curves[curves["seed"].isin(of.seeds)])


def experiment(name: str, place: Place) -> list[Result]:
    """Return the results of an experiment, one per configuration; raise ResultError if one has no finished seed."""
    found = [result(of) for of in configurations(name, place)]
    if any(r.curves.empty for r in found):
        raise _missing(name, place, found)
    return found


def by_task(results: Sequence[Result]) -> list[list[Result]]:
    """Return results, those of a task side by side, as a list per task."""
    return [list(group) for _, group in groupby(results, key=lambda r: r.config.task.label)]


def tasks(name: str, place: Place) -> tuple[list[list[Result]], str]:
    """Return an experiment's results task by task, and a note on the tasks that lack one and are left out.

    Raises ResultError if no task is left.
    """
    found = [result(of) for of in configurations(name, place)]
    groups = by_task(found)
    complete = [group for group in groups if not any(r.curves.empty for r in group)]
    left_out = [group[0].config.task.title for group in groups if any(r.curves.empty for r in group)]
    if not complete:
        raise _missing(name, place, found)
    return complete, f"not yet run: {', '.join(left_out)}" if left_out else ""


def _missing(name: str, place: Place, found: Sequence[Result]) -> ResultError:
    empty = [r.config for r in found if r.curves.empty]
    first = f"{empty[0].task.label} {empty[0].method.name}"
    return ResultError(
        f"{name}: {len(empty)} of {len(found)} configurations have no result in {place.folder} ({first} is one); "
        f"make them with: python scripts/train.py experiment={name} profile={place.profile}"
    )


def band(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return median, lower and upper quartile over axis 0."""
    return quantile(table, 0.5), quantile(table, 0.25), quantile(table, 0.75)


def count(results: Sequence[Result]) -> str:
    """Return how many seeds stand behind a figure, in words."""
    return f"n = {span([r.seeds for r in results])}"


def span(counts: Sequence[int]) -> str:
    """Return the least and the most of some counts in words, "3 to 8", or "3" where they are the same."""
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
