"""Reads the tables that figures other than curves are drawn from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from homotopy.errors import ResultError
from homotopy.results.library import Place


def read(place: Place, name: str, experiment: str) -> pd.DataFrame:
    """Return the CSV file `name` of a profile's folder; ResultError as `find`."""
    return pd.read_csv(find(place, name, experiment))


def find(place: Place, name: str, experiment: str) -> Path:
    """Return where the file `name` of a profile's folder is; raise ResultError that names the experiment if not."""
    path = place.folder / name
    if not path.exists():
        raise ResultError(f"{path} is missing; make it with: {place.command(experiment)}")
    return path
