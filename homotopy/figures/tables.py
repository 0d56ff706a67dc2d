"""Reads the tables that figures other than curves are drawn from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from homotopy.errors import ResultError
from homotopy.figures import illustrations
from homotopy.results.files import read_csv
from homotopy.results.library import Place, asked
from homotopy.theory import study
from homotopy.training import why

_FOLDERS = {"illustrate": illustrations.folder, "theory": study.folder, "why": why.folder}  # by a job's kind


def read(place: Place, name: str, experiment: str) -> pd.DataFrame:
    """Return the CSV file `name` of a profile's folder; ResultError as `find`."""
    return read_csv(find(place, name, experiment))


def find(place: Place, name: str, experiment: str) -> Path:
    """Return where the file `name` of a profile's folder is; raise ResultError that names the experiment if not."""
    path = place.folder / name
    if place.overrides:
        made = [_FOLDERS[job.kind](job) / path.name for job in asked(experiment, place)]
        path = next((each for each in made if each.exists()), made[0])
    if not path.exists():
        raise ResultError(f"{path} is missing; make it with: {place.command(experiment)}")
    return path
