"""Runs that were made again: whether their rows of runs.csv.gz are the saved ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from homotopy.results.files import csv_bytes
from homotopy.results.folder import KEYS, RunFolder

# solvers whose digits depend on the seeds that train together and on the processor
INEXACT = ("AutogradEnsemble", "GraphEnsemble")


def inexact(folder: Path) -> set[int]:
    """Return the seeds of a folder whose digits cannot be expected again."""
    records = RunFolder(folder).metadata()["records"]
    return {seed for record in records if record.get("solver") in INEXACT for seed in record["seeds"]}


def _rows(folder: Path) -> dict[int, list[str]]:
    """Return every finished seed's lines as runs.csv.gz has them, its header before each seed's."""
    header, *lines = csv_bytes(RunFolder(folder).runs()).decode().splitlines()
    found: dict[int, list[str]] = {}
    for line in lines:
        found.setdefault(int(line.partition(",")[0]), [header]).append(line)
    return found


class Tolerance(NamedTuple):
    """By how much values may deviate: losses relatively to the larger, accuracies absolutely."""

    loss: float
    accuracy: float


def differences(saved: Path, again: Path, tolerance: Tolerance | None = None) -> dict[int, str | None]:
    """Return, for every seed that is finished in both folders, the first of its rows that differs; None if none does.

    Rows are compared to the byte; with a tolerance only values count that deviate by more than that. Nothing is
    finished in a folder that is not there. Seeds that were trained on different files are not compared, but differ.
    Raises ResultError if a file is damaged.
    """
    old, new = _rows(saved), _rows(again)
    files = _files(saved), _files(again)
    return {
        seed: _other_files(*(each.get(seed, {}) for each in files)) or _difference(old[seed], new[seed], tolerance)
        for seed in sorted(old.keys() & new.keys())
    }


def _files(folder: Path) -> dict[int, dict[str, object]]:
    """Return by seed the checksums of the files that it was trained on, by the name of the data set."""
    records = RunFolder(folder).metadata()["records"]
    return {
        seed: {data["name"]: data["md5"] for data in record.get("data", [])}
        for record in records
        for seed in record["seeds"]
    }


def _other_files(old: Mapping[str, object], new: Mapping[str, object]) -> str:
    """Say which data sets are not made of the same files; nothing where all are."""
    names = [name for name in old if old[name] != new.get(name)]
    return f"it was trained on other files of {', '.join(names)}" if names else ""


def _difference(old_lines: Sequence[str], new_lines: Sequence[str], tolerance: Tolerance | None) -> str | None:
    header = old_lines[0].split(",")
    if old_lines[0] != new_lines[0]:
        tolerance = None  # the metrics are others, and none is near another
    for old, new in zip(old_lines, new_lines, strict=False):
        if old != new and not (tolerance and _is_near(header, old.split(","), new.split(","), tolerance)):
            return f"{old_lines[0]}\n  saved {old}\n  again {new}"
    return None if len(old_lines) == len(new_lines) else f"{len(old_lines) - 1} rows saved, {len(new_lines) - 1} again"


def _is_near(header: Sequence[str], old: Sequence[str], new: Sequence[str], tolerance: Tolerance) -> bool:
    """Whether two rows have the same keys, and metrics within the tolerance."""
    metrics = list(zip(header, old, new, strict=True))[len(KEYS) :]
    return old[: len(KEYS)] == new[: len(KEYS)] and all(
        math.isclose(float(one), float(other), rel_tol=0.0, abs_tol=tolerance.accuracy)
        if name.endswith("accuracy")
        else math.isclose(float(one), float(other), rel_tol=tolerance.loss)
        for name, one, other in metrics
    )
