"""Result files: one folder per configuration, to which seeds are added and never taken away.

`runs.csv.gz` is the truth and `median.csv` is derived from it; `config.yaml` is the configuration's identity,
`metadata.json` tells how the runs were made, and `SHA256SUMS` (for `sha256sum --check`) what was written. A file
that is not what was written is never read: training sets it aside and makes it again, everything else refuses it.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import time
import zlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from homotopy.errors import ResultError
from homotopy.identity import SCHEMA, digest
from homotopy.results import locks
from homotopy.results.files import (
    CONFIG,
    MEDIANS,
    METADATA,
    RUNS,
    SUMS,
    csv_bytes,
    damage_set_aside,
    packed,
    parsed_metadata,
    refusal,
    set_aside,
    sha256,
    write_atomic,
)
from homotopy.results.statistics import median_curves

KEYS = ["seed", "epoch", "lam", "phase"]  # of runs.csv.gz; its other columns are metrics


def metrics(runs: pd.DataFrame) -> list[str]:
    """Return the names of a table's metrics: of all columns of runs.csv.gz but its keys."""
    return [name for name in runs.columns if name not in KEYS]


class RunFolder:
    """The results of one configuration. Whoever changes its files holds its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lock(self) -> AbstractContextManager[None]:
        """Hold the folder while its files change."""
        return locks.lock(self.path)

    def runs(self) -> pd.DataFrame:
        """Return the curves of every finished seed; empty where there are none."""
        data = self._read(RUNS)
        return pd.DataFrame(columns=KEYS) if data is None else _parsed_runs(data, self.path / RUNS)

    def finished(self) -> set[int]:
        """Return the finished seeds."""
        return set(self.runs()["seed"].tolist())

    def medians(self) -> pd.DataFrame:
        """Return epoch, metric, n, median, q25, q75; empty where nothing is finished."""
        data = self._read(MEDIANS)
        columns = ["epoch", "metric", "n", "median", "q25", "q75"]
        return pd.DataFrame(columns=columns) if data is None else _parsed_csv(data, columns, self.path / MEDIANS)

    def metadata(self) -> dict[str, Any]:
        """Return how the runs were made: their `seeds`, `diverged_at` and `records`, all empty where there are none."""
        data = self._read(METADATA)
        nothing: dict[str, Any] = {"seeds": [], "diverged_at": {}, "records": []}
        return nothing if data is None else parsed_metadata(data, self.path / METADATA)

    def identity(self) -> dict[str, Any]:
        """Return the settings that the runs' numbers depend on, as `Config.identity` has them."""
        data = self._read(CONFIG)
        if data is None:
            raise ResultError(f"{self.path / CONFIG} is missing")
        return yaml.safe_load(data)

    def settled(self, identity: dict[str, Any], seeds: Sequence[int]) -> bool:
        """Whether these seeds are finished and every file is as it should be, so that nothing has to be written."""
        try:
            finished, medians, metadata = self.finished(), self.medians(), self.metadata()
            known = set(metadata["seeds"]) == finished and not medians.empty
            summed = self._is_summed() and self._read(CONFIG) == _yaml(identity)
        except ResultError:
            return False
        left = any(self.path.glob(".*.tmp")) or any(self.path.glob("*.pt"))
        return known and summed and not left and set(seeds) <= finished

    def repair(self, identity: dict[str, Any]) -> None:
        """Set aside what is damaged and make again what follows from the rest.

        Raises ResultError if another version of the program wrote the folder, or if it cannot be written.
        """
        self._check_schema()
        self._set_aside_damaged(_yaml(identity))
        if self._read(RUNS) is None:
            self._commit({CONFIG: _yaml(identity)})
        else:
            self._write(self.runs(), _completed(self.metadata(), self.runs()), {CONFIG: _yaml(identity)})

    def check_data(self, data: Sequence[dict[str, Any]], besides: Sequence[dict[str, Any]]) -> None:
        """Raise ResultError if the folder's seeds, or those of records `besides`, were trained on other files."""
        files = [part["md5"] for part in data]
        for record in (*self.metadata()["records"], *besides):
            before = record.get("data", data)
            if [part["md5"] for part in before] != files:
                pairs = zip(before, data, strict=True)
                names = ", ".join(old["name"] for old, new in pairs if old["md5"] != new["md5"])
                raise ResultError(
                    f"{self.path}: its seeds were trained on other files of {names} than are here now; one result "
                    "cannot hold seeds of both: choose another results.root"
                )

    def add(self, curves: pd.DataFrame, record: dict[str, Any], diverged_at: dict[str, int]) -> None:
        """Add finished seeds: their curves, how they were made, and the epochs at which some diverged.

        Adding the same seeds again changes nothing.
        """
        metadata = self.metadata()
        others = [r for r in metadata["records"] if r.get("seeds") != record["seeds"]]
        diverged = metadata["diverged_at"] | diverged_at
        runs = _merged(self.runs(), curves)
        self._write(runs, {"diverged_at": diverged, "records": [*others, record]})

    def _write(self, runs: pd.DataFrame, metadata: dict[str, Any], besides: dict[str, bytes] | None = None) -> None:
        written = packed(runs)
        as_read = _parsed_runs(written, self.path / RUNS)  # so that what is derived agrees with the file
        medians = median_curves(as_read, metrics(as_read))
        metadata = {"seeds": sorted(set(as_read["seed"].tolist())), **metadata}
        text = json.dumps(metadata, indent=1) + "\n"
        self._commit({RUNS: written, MEDIANS: csv_bytes(medians), METADATA: text.encode(), **(besides or {})})

    def _commit(self, files: dict[str, bytes]) -> None:
        """Write files and their checksums.

        Whoever reads meanwhile may find an old file or a new one, and SHA256SUMS has the sums of both until the end.
        """
        before, new = self._sums(), {name: {sha256(data)} for name, data in files.items()}
        if all(self._bytes(name) == data for name, data in files.items()) and before == before | new:
            return
        if any(name in before for name in files):
            self._write_sums({name: before.get(name, set()) | new.get(name, set()) for name in before | new})
        for name, data in files.items():
            write_atomic(self.path / name, data)
        self._write_sums(before | new)

    def _write_sums(self, sums: dict[str, set[str]]) -> None:
        lines = [f"{found}  {name}\n" for name in sorted(sums) for found in sorted(sums[name])]
        write_atomic(self.path / SUMS, "".join(lines).encode())

    def _sums(self) -> dict[str, set[str]]:
        """Return the checksums that each file may have; ResultError if the list is damaged."""
        sums: dict[str, set[str]] = {}
        for line in (self._bytes(SUMS) or b"").decode(errors="replace").splitlines():
            found, _, name = line.partition("  ")
            if not re.fullmatch("[0-9a-f]{64}", found) or name not in (CONFIG, RUNS, MEDIANS, METADATA):
                raise ResultError(f"{self.path / SUMS} is damaged")
            sums.setdefault(name, set()).add(found)
        return sums

    def _is_summed(self) -> bool:
        sums = self._sums()
        return len(sums) == 4 and all(len(found) == 1 for found in sums.values())

    def _bytes(self, name: str) -> bytes | None:
        path = self.path / name
        with refusal(path, "read"), suppress(FileNotFoundError):
            return path.read_bytes()
        return None

    def _read(self, name: str) -> bytes | None:
        """Return a file as it was written, None where there is none; ResultError if it was altered since."""
        self._check_schema()
        if name != CONFIG:
            self._check_owner()
        for _ in range(3):
            sums, data = self._sums(), self._bytes(name)
            if data is None or name not in sums or sha256(data) in sums[name]:
                return data
            time.sleep(0.1)  # a writer may have come in between
        raise ResultError(f"{self.path / name} is truncated or altered: its SHA-256 is not the one in {SUMS}")

    def _check_schema(self) -> None:
        try:
            found = yaml.safe_load(self._bytes(CONFIG) or b"")["schema"]
        except (TypeError, KeyError, ValueError, yaml.YAMLError):
            return  # missing or damaged, and no sign of another version
        if isinstance(found, int) and found != SCHEMA:
            age = "a newer" if found > SCHEMA else "an older"
            raise ResultError(
                f"{self.path} is of {age} version of the result files (schema {found}; this program knows {SCHEMA}): "
                "use that version of the program, or another results.root"
            )

    def _check_owner(self) -> None:
        """Raise ResultError if the files are those of another configuration, put here since."""
        config, own = self._bytes(CONFIG), re.fullmatch(".*-([0-9a-f]{8})", self.path.name)
        if config is None or own is None or sha256(config) not in self._sums().get(CONFIG, set()):
            return
        if digest(yaml.safe_load(config)) != own[1]:
            raise ResultError(f"{self.path} holds the results of another configuration, as its {CONFIG} says")

    def _set_aside_damaged(self, config: bytes) -> None:
        for name, read in ((SUMS, self._sums), (RUNS, self.runs), (MEDIANS, self.medians), (METADATA, self.metadata)):
            with damage_set_aside(self.path / name):
                read()
        found = self._bytes(CONFIG)
        if found is not None and found != config:
            set_aside(self.path / CONFIG, f"{self.path / CONFIG} is not this folder's configuration")
        if self._bytes(RUNS) is None:
            for name in (MEDIANS, METADATA):
                if (self.path / name).exists():
                    set_aside(self.path / name, f"{self.path / name} tells of runs that are gone")


def _yaml(identity: dict[str, Any]) -> bytes:
    return yaml.safe_dump(identity, sort_keys=True).encode()


def _merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    old = old[~old["seed"].isin(new["seed"].unique())]
    runs = new if old.empty else pd.concat([old, new], ignore_index=True)
    return runs.sort_values(["seed", "epoch"], kind="stable", ignore_index=True)


def _parsed_csv(data: bytes, columns: Sequence[str], path: Path) -> pd.DataFrame:
    """Return a table that begins with these columns and has no text in those that follow."""
    try:
        frame = pd.read_csv(io.BytesIO(data))
    except ValueError as error:
        raise ResultError(f"{path} is no table: {error}") from None
    if list(frame.columns[: len(columns)]) != list(columns):
        raise ResultError(f"{path} lacks the columns {', '.join(columns)}")
    return frame


def _parsed_runs(data: bytes, path: Path) -> pd.DataFrame:
    try:
        frame = _parsed_csv(gzip.decompress(data), KEYS, path)
    except (OSError, EOFError, zlib.error) as error:
        raise ResultError(f"{path} is truncated or altered: {error}") from None
    if not _whole(frame):
        raise ResultError(f"{path} is damaged: its rows are not the curves of whole runs")
    return frame


def _whole(runs: pd.DataFrame) -> bool:
    """Whether every seed has the same epochs, each once, and every metric is a number."""
    kinds = runs.drop(columns="phase").dtypes.map(lambda dtype: dtype.kind)
    epochs = runs.groupby("seed")["epoch"].agg(tuple)
    numeric = kinds["seed"] == kinds["epoch"] == "i" and kinds.isin(["i", "f"]).all()
    return bool(numeric) and len(set(epochs)) == 1 and len(set(epochs.iloc[0])) == len(epochs.iloc[0])


def _completed(metadata: dict[str, Any], runs: pd.DataFrame) -> dict[str, Any]:
    """Return metadata without its list of seeds, with what the curves tell of seeds that it does not know."""
    diverged, records = metadata["diverged_at"], metadata["records"]
    if lost := sorted(set(runs["seed"].tolist()).difference(metadata["seeds"])):
        infinite = runs[runs["seed"].isin(lost) & runs["train_loss"].isin([float("inf")])]
        epochs = infinite.groupby("seed")["epoch"].min()
        diverged = diverged | {str(seed): int(epoch) for seed, epoch in epochs.items()}
        note = {"seeds": lost, "note": f"the record of these runs was lost; what is here follows from {RUNS}"}
        records = [*records, note]
    return {"diverged_at": diverged, "records": records}
