"""Files on disk: written whole or not at all, known to be what was written, set aside when they are not."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homotopy.errors import ResultError, UnreadableError
from homotopy.progress import say

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

# of a folder of results; not in folder.py, as `make status` needs their names, but not pandas
CONFIG, RUNS, MEDIANS, METADATA, SUMS = "config.yaml", "runs.csv.gz", "median.csv", "metadata.json", "SHA256SUMS"

_SEAL = 64  # hexadecimal digits of the SHA-256 that ends a tensor file


def parsed_metadata(data: bytes, path: Path) -> dict[str, Any]:
    """Return how runs were made, as the file at `path` says: see `RunFolder.metadata`; ResultError if it is damaged."""
    kinds = {"seeds": list, "diverged_at": dict, "records": list}
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict) or any(not isinstance(found.get(key), kind) for key, kind in kinds.items()):
        raise ResultError(f"{path} is damaged: it is not the metadata of runs")
    return found


def write_atomic(path: Path, data: bytes | memoryview) -> None:
    """Replace `path` by `data`, whole or not at all, also if the machine stops in between; ResultError if it cannot."""
    with refusal(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)


@contextmanager
def refusal(path: Path, doing: str = "write") -> Iterator[None]:
    """Turn what the system refuses (a full disk, a read-only folder) into a ResultError of one line.

    A file that cannot be read is an UnreadableError, as it need not be damaged.
    """
    try:
        yield
    except OSError as error:
        kind = UnreadableError if doing == "read" else ResultError
        raise kind(f"cannot {doing} {path}: {error.strerror}") from error


def _replace(path: Path, data: bytes | memoryview) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
        _sync_folder(path.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder; nobody may be writing there."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)  # a file's new name is the folder's content
    finally:
        os.close(handle)


def sha256(data: bytes | memoryview) -> str:
    """Return the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def set_aside(path: Path, why: str) -> Path:
    """Rename a damaged file, say so, and return its new name; nothing is ever deleted."""
    names = (path.with_name(f"{path.name}.damaged-{n}") for n in itertools.count(1))
    aside = next(name for name in names if not name.exists())
    with refusal(aside):
        path.rename(aside)
    say(f"{why}; set aside as {aside.name}")
    return aside


@contextmanager
def damage_set_aside(path: Path) -> Iterator[None]:
    """Set a file aside that turns out to be damaged inside; one that only cannot be read now raises, and stays."""
    try:
        yield
    except UnreadableError:
        raise
    except ResultError as error:
        set_aside(path, str(error))


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return a table as CSV with six significant digits."""
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n").encode()


def packed(frame: pd.DataFrame) -> bytes:
    """Return a table as compressed CSV; the same table gives the same bytes."""
    return gzip.compress(csv_bytes(frame), mtime=0)


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a table atomically, compressed if the name ends in .gz."""
    write_atomic(path, packed(frame) if path.suffix == ".gz" else csv_bytes(frame))


def read_csv(path: Path, **options: Any) -> pd.DataFrame:
    """Return a table that `write_csv` wrote; `options` are those of pandas. ResultError where it is damaged."""
    import pandas as pd  # as in `write_tensors`

    with refusal(path, "read"):
        data = path.read_bytes()
    try:
        plain = gzip.decompress(data) if path.suffix == ".gz" else data
        return pd.read_csv(io.BytesIO(plain), **options)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ResultError(f"{path} is damaged; remove it, and make it again") from error


def write_tensors(path: Path, head: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write tensors atomically: a line of JSON, `head`, the file of `torch.save`, and the SHA-256 of both."""
    import torch  # here: others write files without it, sooner

    buffer = io.BytesIO()  # the only copy: a large network's checkpoint is a gigabyte
    buffer.write(json.dumps(head).encode() + b"\n")
    torch.save(tensors, buffer)
    with buffer.getbuffer() as written:
        seal = sha256(written)
    buffer.write(seal.encode())
    write_atomic(path, buffer.getbuffer())


def read_head(path: Path) -> dict[str, Any]:
    """Return the head of what `write_tensors` wrote, without reading the tensors or comparing the SHA-256."""
    with refusal(path, "read"), open(path, "rb") as file:
        return _head(path, file.readline())


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return head and tensors that `write_tensors` wrote; nothing is unpickled but tensors whose SHA-256 is right."""
    import torch  # as in `write_tensors`

    with refusal(path, "read"), open(path, "rb") as file:
        line = file.readline()
        data = file.read(max(0, os.fstat(file.fileno()).st_size - len(line) - _SEAL))
        seal = file.read()
    found = hashlib.sha256(line)
    found.update(data)
    if found.hexdigest().encode() != seal:
        raise ResultError(f"{path} is truncated or altered: it does not end in its SHA-256")
    return _head(path, line), torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _head(path: Path, line: bytes) -> dict[str, Any]:
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict):
        raise ResultError(f"{path} is truncated or altered: it does not begin with a line of JSON")
    return head


def nearest_folder(path: Path) -> Path:
    """Return the path itself or the nearest above it that exists; OSError if the system refuses the name."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())
