"""Runs that were made again: whether their rows of runs.csv.gz are the saved ones."""

from __future__ import annotations

from pathlib import Path

from homotopy.results.files import csv_bytes
from homotopy.results.folder import RunFolder


def equal_seeds(folder: Path, committed: Path) -> dict[int, bool]:
    """Return, for every seed that is finished in both folders, whether its rows are equal to the byte.

    Nothing is finished in a folder that is not there. Raises ResultError if a file is damaged.
    """
    made, saved = rows(folder), rows(committed)
    return {seed: made[seed] == saved[seed] for seed in sorted(made.keys() & saved.keys())}


def rows(folder: Path) -> dict[int, list[str]]:
    """Return every finished seed's lines as runs.csv.gz has them, its header before each seed's."""
    header, *lines = csv_bytes(RunFolder(folder).runs()).decode().splitlines()
    found: dict[int, list[str]] = {}
    for line in lines:
        found.setdefault(int(line.partition(",")[0]), [header]).append(line)
    return found
