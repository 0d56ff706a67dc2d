"""Saved results: where a profile has them, and what an experiment's configurations have by now."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from homotopy import compose, config, keys
from homotopy.errors import ResultError
from homotopy.identity import digest
from homotopy.job import Job, parse
from homotopy.results import copies
from homotopy.results.folder import RunFolder, metrics
from homotopy.results.statistics import median_curves, settled, settling

# settings that no result depends on, besides hydra's own; what is drawn is the same with and without them
_SILENT = ("data.root", "hydra", "launcher", "runtime.", "save")


@dataclass(frozen=True)
class Place:
    """A profile's results, and where its figures go.

    `overrides`, such as schedule.gamma=5, are those of a study whose results and figures are not the profile's own.
    """

    results: Path
    profile: str
    overrides: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, str], overrides: tuple[str, ...] = ()) -> Place:
        """Return the place that a script's options name; raise ConfigError for a profile that is not known."""
        keys.check_choice("profile", options["profile"])
        return cls(Path(options["results.root"]), options["profile"], overrides)

    @property
    def folder(self) -> Path:
        """The profile's folder."""
        return self.results / self.profile

    @property
    def figures(self) -> Path:
        """The figures' folder; figures with overrides have one of their own in it."""
        given = "_".join(self.overrides)
        name = re.sub(r"[^\w.=,-]+", "-", given)[:100]
        if name != given:  # which others may come to, too
            name = f"{name}-{digest(self.overrides)}"
        return self.folder / "figures" / name if name else self.folder / "figures"

    def command(self, experiment: str) -> str:
        """Return the command that makes an experiment's results."""
        return shlex.join(["python", "scripts/train.py", f"experiment={experiment}", *self.options])

    @property
    def options(self) -> list[str]:
        """What names the place on a command line; nothing for profile quick in results/, the scripts' defaults."""
        profile = [] if self.profile == "quick" else [f"profile={self.profile}"]
        root = [] if self.results == Path("results") else [f"results.root={self.results}"]
        return [*profile, *root, *self.overrides]


def telling(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return the overrides that results depend on, without those of experiment, profile and results.root."""
    known = (*_SILENT, "experiment", "profile", "results.root")
    return tuple(text for text in overrides if not text.lstrip("+~").partition("=")[0].startswith(known))


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

    @cached_property
    def _medians(self) -> pd.DataFrame:
        saved = RunFolder(self.config.folder).medians()
        if not saved.empty and (saved["n"] == self.seeds).all():
            return saved
        return median_curves(self.curves, metrics(self.curves))

    def band(self, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the metric's median, lower and upper quartile over the seeds, (points,) each, as median.csv has them.

        That file is of all seeds of the folder: of fewer, if fewer are asked for, they are computed.
        """
        rows = self._medians[self._medians["metric"] == metric]
        return rows["median"].to_numpy(), rows["q25"].to_numpy(), rows["q75"].to_numpy()

    def settled(self, metric: str, last: int = 100) -> np.ndarray:
        """Return each seed's median of the metric over the last epochs of its run, (seeds,); `statistics.settled`."""
        return settled(self.epochs, self.table(metric), settling(self.epochs[-1], last))

    def final(self, metric: str) -> np.ndarray:
        """Return the metric at the last epoch, (seeds,)."""
        return self.table(metric)[:, -1]

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        """How the runs were made, an entry for each group that trained together, as the folder's metadata has it."""
        return RunFolder(self.config.folder).metadata()["records"]

    @property
    def data(self) -> list[dict[str, Any]]:
        """The provenance of every data set that the runs read."""
        return [data for record in self.records for data in record.get("data", [])]


def jobs(experiment: str, place: Place) -> list[Job]:
    """Return what an experiment asks for."""
    found = compose.jobs([f"experiment={experiment}", f"profile={place.profile}", *place.overrides])
    for composed in found:  # not as an override, in which commas and brackets have a meaning
        composed["results"]["root"] = str(place.results)
    return [parse(composed) for composed in found]


@cache
def asked(experiment: str, place: Place) -> list[Job]:
    """Return what an experiment asks for, composed once in this process."""
    return jobs(experiment, place)


def made_in(folder: str, job: Job, experiment: str, settings: Callable[[Job], Any]) -> Path:
    """Return where a job that saves no runs writes: a folder of its profile's, or with other settings one within that.

    Others are `settings` that no job of the experiment has in the profile, so that the profile's own files stay.
    """
    path, its_own = job.folder / folder, settings(job)
    of_the_profile = asked(experiment, Place(job.config.results, job.config.profile))
    return path if its_own in map(settings, of_the_profile) else path / digest(its_own)


def result(of: config.Config) -> Result:
    """Return a configuration's finished seeds, of those it asks for; none at all where nothing is finished."""
    curves = RunFolder(of.folder).runs()
    return Result(of, curves[curves["seed"].isin(of.seeds)])


class Library:
    """A place's experiments, each composed once, and their configurations, each read once."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._jobs: dict[str, Sequence[Job]] = {}
        self._results: dict[str, list[Result]] = {}
        self._curves: dict[tuple[Path, tuple[int, ...]], pd.DataFrame] = {}

    def jobs(self, experiment: str) -> Sequence[Job]:
        """Return what an experiment asks for, on the data that have results."""
        if experiment not in self._jobs:
            asked = jobs(experiment, self.place)
            self._jobs[experiment] = copies.chosen(
                asked, lambda: [copies.unofficial(job) for job in asked], lambda job: job.config.folder
            )
        return self._jobs[experiment]

    def command(self, experiment: str) -> str:
        """Return the command that makes what is read of an experiment: on unofficial image files, where those are."""
        images = {job.composed["task"].get("images") for job in self.jobs(experiment)}
        place = self.place
        if "unofficial" in images:
            place = replace(place, overrides=tuple(dict.fromkeys([*place.overrides, "task.images=unofficial"])))
        return place.command(experiment)

    def results(self, *experiments: str) -> list[Result]:
        """Return the results of some experiments, one per configuration, empty where nothing is finished."""
        for name in experiments:
            if name not in self._results:
                self._results[name] = [self._result(job.config) for job in self.jobs(name)]
        return [found for name in experiments for found in self._results[name]]

    def _result(self, of: config.Config) -> Result:
        """Return a configuration's result; experiments that share it share its curves."""
        key = (of.folder, of.seeds)
        if key not in self._curves:
            self._curves[key] = result(of).curves
        return Result(of, self._curves[key])


def experiment(name: str, place: Place) -> list[Result]:
    """Return the results of an experiment, one per configuration; raise ResultError if one has no finished seed."""
    found = Library(place).results(name)
    if any(r.curves.empty for r in found):
        raise missing(name, place, found)
    return found


def distinct(results: Iterable[Result]) -> list[Result]:
    """Return one result of each folder: jobs that differ in what their method does not use share one."""
    return list({r.config.folder: r for r in results}.values())


def by_task(results: Sequence[Result]) -> list[list[Result]]:
    """Return results, those of a task side by side, as a list per task."""
    return [list(group) for _, group in groupby(results, key=lambda r: r.config.task.label)]


def incomplete(groups: Iterable[Hashable], results: Iterable[Result]) -> set[Hashable]:
    """Return those groups, one named for each result, in which a result lacks seeds that were asked for."""
    return {key for key, found in zip(groups, results, strict=True) if found.seeds < len(found.config.seeds)}


def tasks(name: str, place: Place) -> tuple[list[list[Result]], str]:
    """Return an experiment's results task by task, and a note on the tasks that lack one and are left out.

    Several experiments are separated by commas, as on a command line. Raises ResultError if no task is left.
    """
    found = Library(place).results(*name.split(","))
    groups = by_task(found)
    complete = [group for group in groups if not any(r.curves.empty for r in group)]
    left_out = [group[0].config.task.title for group in groups if any(r.curves.empty for r in group)]
    if not complete:
        raise missing(name, place, found)
    return complete, f"not yet run: {', '.join(left_out)}" if left_out else ""


def missing(name: str, place: Place, found: Sequence[Result]) -> ResultError:
    """Return the error for an experiment some of whose results have no finished seed."""
    empty = [r.config for r in found if r.curves.empty]
    if not empty:
        return ResultError(f"{name}: not all of its methods are among what was asked for ({shlex.join(place.options)})")
    first = f"{empty[0].task.label} {empty[0].method.name}"
    return ResultError(
        f"{name}: {len(empty)} of {len(found)} configurations have no result in {place.folder} ({first} is one); "
        f"make them with: {place.command(name)}"
    )


def count(results: Sequence[Result]) -> str:
    """Return how many seeds stand behind a figure, in words."""
    return f"n = {span([r.seeds for r in results])}"


def span(counts: Sequence[int]) -> str:
    """Return the least and the most of some counts in words, "3 to 8", or "3" where they are the same."""
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
