"""Failed jobs: why, and the command that repeats each, in a file of its own until the job succeeds."""

from __future__ import annotations

import json
import socket
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from homotopy import identity
from homotopy.errors import ResultError, UserError, in_words
from homotopy.results.files import write_atomic


class Failure(NamedTuple):
    """A job that failed; `traceback` is empty where the error says it all."""

    job: str
    why: str
    command: str
    host: str
    since: str
    traceback: list[str]


def name(raw: Mapping[str, Any]) -> str:
    """Return a job's name: for training that of its result folder, whatever machine it runs on."""
    from homotopy import config  # here: what reads failures needs no configuration, and is sooner without

    if raw["job"] == "train":
        return config.from_dict(raw).name
    return f"{raw['job']}-{identity.digest(raw)}"


def _folder(raw: Mapping[str, Any]) -> Path:
    return Path(raw["results"]["root"]) / raw["profile"] / "failures"


def _path(raw: Mapping[str, Any]) -> Path:
    part = "" if raw["runtime"]["part"] is None else f".part{raw['runtime']['part']}"
    return _folder(raw) / f"{name(raw)}{part}.json"


def record(raw: Mapping[str, Any], error: Exception, command: str) -> Path:
    """Keep why a job failed; return the file."""
    lines = [] if isinstance(error, UserError) else traceback.format_exception(error)
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    failure = Failure(name(raw), in_words(error), command, socket.gethostname(), since, lines)
    write_atomic(_path(raw), (json.dumps(failure._asdict(), indent=1) + "\n").encode())
    return _path(raw)


def clear(raw: Mapping[str, Any]) -> None:
    """Forget a job's failures, since it succeeded; a whole job's success is that of its parts."""
    _path(raw).unlink(missing_ok=True)
    if raw["runtime"]["part"] is None:
        for path in _folder(raw).glob(f"{name(raw)}.part*.json"):
            path.unlink(missing_ok=True)


def of(raw: Mapping[str, Any]) -> list[Failure]:
    """Return the failures of a whole job: its own and those of its parts."""
    return kept(_folder(raw), name(raw))


def kept(folder: Path, job: str) -> list[Failure]:
    """Return the failures, in a profile's folder `failures`, of a job with this name."""
    paths = sorted(folder.glob(f"{job}*.json"))
    return [failure for path in paths if (failure := _read(path))]


def _read(path: Path) -> Failure | None:
    try:
        return Failure(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise ResultError(f"{path} is damaged; remove it") from error
