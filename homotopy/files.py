"""Files on disk: written whole or not at all, known to be what was written, set aside when they are not."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from homotopy.errors import ResultError
from homotopy.progress import say

if TYPE_CHECKING:
    from torch import Tensor

_SEAL = 64  # hexadecimal digits of the SHA-256 that ends a tensor file


def write_atomic(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, whole or not at all, also if the machine stops in between; ResultError if it cannot."""
    with refusal(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)


@contextmanager
def refusal(path: Path) -> Iterator[None]:
    """Turn what the system refuses (a full disk, a read-only folder) into a ResultError of one line."""
    try:
        yield
    except OSError as error:
        raise ResultError(f"cannot write {path}: {error.strerror}") from error


def _replace(path: Path, data: bytes) -> None:
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


def sha256(data: bytes) -> str:
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


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors atomically: a file of `torch.save` with its SHA-256 at the end."""
    import torch  # here: others write files without it, sooner

    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    data = buffer.getvalue()
    write_atomic(path, data + sha256(data).encode())


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return what `write_tensors` wrote; nothing but tensors is ever unpickled, and nothing whose SHA-256 is wrong."""
    import torch  # as in `write_tensors`

    try:
        content = path.read_bytes()
    except OSError as error:
        raise ResultError(f"cannot read {path}: {error.strerror}") from error
    data, seal = content[:-_SEAL], content[-_SEAL:]
    if sha256(data).encode() != seal:
        raise ResultError(f"{path} is truncated or altered: it does not end in its SHA-256")
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def nearest_folder(path: Path) -> Path:
    """Return the path itself or the nearest above it that exists; OSError if the system refuses the name."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())
