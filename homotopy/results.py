"""Result files: one folder per configuration, to which seeds are added and never taken away.

Files are written under a temporary name, synced and renamed, so that a reader sees the old file or the new one;
`runs.csv.gz` is the truth and everything beside it is derived from it.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
import torch
import yaml
from torch import Tensor

from homotopy.errors import ResultError
from homotopy.statistics import median_curves

KEYS = ["seed", "epoch", "lam", "phase"]  # of runs.csv.gz; its other columns are metrics


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, whole or not at all, also if the machine stops in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return `frame` as CSV with six significant digits."""
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode()


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write `frame` atomically, compressed if the name ends in .gz; the same frame gives the same bytes."""
    data = csv_bytes(frame)
    write_atomic(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


class RunFolder:
    """The results of one configuration: config.yaml, runs.csv.gz, median.csv, metadata.json."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / "checkpoint.pt"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder as its only writer; raise ResultError if another process does."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(self.path / ".lock", timeout=0):
                yield
        except filelock.Timeout:
            raise ResultError(f"{self.path}: another process is writing here") from None

    def runs(self) -> pd.DataFrame:
        """Return the curves of every finished seed; empty where there are none."""
        path = self.path / "runs.csv.gz"
        return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=KEYS)

    def finished(self) -> set[int]:
        """Return the finished seeds."""
        return set(self.runs()["seed"])

    def medians(self) -> pd.DataFrame:
        """Return epoch, metric, n, median, q25, q75."""
        return pd.read_csv(self.path / "median.csv")

    def metadata(self) -> dict[str, Any]:
        """Return what is known of the runs' making; empty where there are none."""
        path = self.path / "metadata.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def write_config(self, config: dict[str, Any]) -> None:
        """Write the identity, in plain YAML."""
        write_atomic(self.path / "config.yaml", yaml.safe_dump(config, sort_keys=True).encode())

    def add(self, curves: pd.DataFrame, record: dict[str, Any]) -> None:
        """Add finished seeds: their curves, and a record of how they were made."""
        write_csv(self.path / "runs.csv.gz", _merged(self.runs(), curves))
        runs = self.runs()  # as written, so that everything derived agrees with the file
        write_csv(self.path / "median.csv", median_curves(runs, [c for c in runs.columns if c not in KEYS]))
        metadata = self.metadata()
        records = [*metadata.get("records", []), record]
        diverged = metadata.get("diverged_at", {}) | record.pop("diverged_at")
        metadata = {"seeds": sorted(int(s) for s in self.finished()), "diverged_at": diverged, "records": records}
        write_atomic(self.path / "metadata.json", (json.dumps(metadata, indent=1) + "\n").encode())


def _merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    runs = new if old.empty else pd.concat([old, new], ignore_index=True)
    return runs.sort_values(["seed", "epoch"], kind="stable", ignore_index=True)


def missing(wanted: Sequence[int], finished: set[int]) -> list[int]:
    """Return the wanted seeds that are not finished, in the order wanted."""
    return [seed for seed in wanted if seed not in finished]


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors atomically."""
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    write_atomic(path, buffer.getvalue())


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return what `write_tensors` wrote; nothing but tensors is ever unpickled."""
    return torch.load(path, map_location="cpu", weights_only=True)
