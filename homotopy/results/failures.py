"""Failed jobs: why, and the command that repeats each, in a file of its own until the job succeeds."""

from __future__ import annotations

import glob
import json
import socket
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from homotopy.errors import ResultError, UserError, in_words
from homotopy.results.files import write_atomic

if TYPE_CHECKING:  # what reads failures needs no configuration, and is sooner without
    from homotopy.job import Job


FOLDER = "failures"  # in a profile's


class Failure(NamedTuple):
    """A job that failed, and what is known of that; `traceback` is empty where the error says it all."""

    job: str
    why: str
    command: str = ""
    host: str = ""
    since: str = ""
    traceback: Sequence[str] = ()


def _folder(job: Job) -> Path:
    return job.folder / FOLDER


def _path(job: Job) -> Path:
    part = job.config.runtime.part
    return _folder(job) / (f"{job.name}.json" if part is None else f"{job.name}.part{part}.json")


def record(job: Job, error: Exception, command: str) -> Path:
    """Keep why a job failed; return the file."""
    lines = [] if isinstance(error, UserError) else traceback.format_exception(error)
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    failure = Failure(job.name, in_words(error), command, socket.gethostname(), since, lines)
    write_atomic(_path(job), (json.dumps(failure._asdict(), indent=1) + "\n").encode())
    return _path(job)


def clear(job: Job) -> None:
    """Forget a job's failures, since it succeeded; a whole job's success is that of its parts."""
    _path(job).unlink(missing_ok=True)
    if job.config.runtime.part is None:
        for path in _folder(job).glob(f"{glob.escape(job.name)}.part*.json"):
            path.unlink(missing_ok=True)


def of(job: Job) -> list[Failure]:
    """Return the failures of a whole job: its own and those of its parts."""
    return kept(job.folder, job.name)


def kept(profile: Path, job: str = "") -> list[Failure]:
    """Return the failures, in a profile's folder, of a job with this name, or of all."""
    paths = sorted((profile / FOLDER).glob(f"{glob.escape(job)}*.json"))
    return [failure for path in paths if (failure := _read(path))]


def _read(path: Path) -> Failure | None:
    try:
        return Failure(**json.loads(path.read_bytes()))
    except FileNotFoundError:  # cleared meanwhile by the job's success
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ResultError(f"{path} is damaged; remove it") from error
