"""A profile's experiments and their results, each composed and read once."""

from __future__ import annotations

from typing import Any

from homotopy import compose, config
from homotopy.figures.loading import Place, Result, result


class Library:
    """Looks up experiments by name."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._jobs: dict[str, list[dict[str, Any]]] = {}
        self._results: dict[str, list[Result]] = {}

    @property
    def experiments(self) -> list[str]:
        """All experiments' names."""
        return sorted(path.stem for path in (compose.CONF / "experiment").glob("*.yaml"))

    def jobs(self, experiment: str) -> list[dict[str, Any]]:
        """Return an experiment's composed configurations."""
        if experiment not in self._jobs:
            options = [f"profile={self.place.profile}", f"results.root={self.place.results}"]
            self._jobs[experiment] = compose.jobs([f"experiment={experiment}", *options])
        return self._jobs[experiment]

    def results(self, experiment: str) -> list[Result]:
        """Return an experiment's results, one per configuration, empty where nothing is finished."""
        if experiment not in self._results:
            self._results[experiment] = [result(config.from_dict(raw)) for raw in self.jobs(experiment)]
        return self._results[experiment]
