"""Who writes where: a lock on a folder while its files change, and a hold on the seeds that a process trains.

Both are locks of `homotopy.flock`, which the operating system drops when their process dies. What the files contain
(process, host, time, seeds) does not lock anything: it is there for messages, and to tell which seeds are taken.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from homotopy.errors import ResultError
from homotopy.flock import locked, try_lock
from homotopy.progress import say
from homotopy.results.files import refusal, remove_unfinished


class Holder(NamedTuple):
    """A process and the seeds that it trains."""

    process: int
    host: str
    since: str
    seeds: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Say who."""
        return f"process {self.process} on {self.host} since {self.since}"


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder while its files change: for moments only, so that others wait; ResultError if it is read-only."""
    path = folder / ".lock"

    def waiting() -> None:
        say(f"waiting for {folder}, held by {_read(path) or 'another process'}")

    with ExitStack() as held_now:
        with refusal(folder):
            folder.mkdir(parents=True, exist_ok=True)
            file = held_now.enter_context(locked(path, waiting))
        with suppress(OSError):  # a full disk: the lock holds without a name
            _write(file, ())
        yield


@contextmanager
def hold(folder: Path, choose: Callable[[list[Holder]], Sequence[int]]) -> Iterator[tuple[Sequence[int], list[Holder]]]:
    """Hold the seeds that `choose` picks, given who trains in the folder; yield them and the other holders.

    The hold ends with the block, or with the process; what dead processes left is removed.
    """
    with lock(folder):
        for path in _holds(folder):
            if _is_free(path):
                path.unlink(missing_ok=True)
        others = holders(folder)
        if not others:
            remove_unfinished(folder)
        seeds = choose(others)
        mine = _register(folder, seeds) if seeds else None
    try:
        yield seeds, others
    finally:
        if mine:
            path, file = mine
            with suppress(ResultError), lock(folder):
                path.unlink(missing_ok=True)  # someone may have removed the folder meanwhile
            os.close(file)


def holders(folder: Path) -> list[Holder]:
    """Return who trains seeds in a folder now."""
    found = [_read(path) for path in _holds(folder) if not _is_free(path)]
    return [holder for holder in found if holder]


def held(by: Sequence[Holder], seeds: Sequence[int]) -> set[int]:
    """Return which of the seeds some holders train."""
    return {seed for holder in by for seed in holder.seeds}.intersection(seeds)


def _register(folder: Path, seeds: Sequence[int]) -> tuple[Path, int]:
    """Write who holds the seeds into a file of its own, and lock that; return its path and its descriptor."""
    with refusal(folder):
        (folder / ".holds").mkdir(exist_ok=True)
        file, name = tempfile.mkstemp(dir=folder / ".holds", suffix=".lock")
        os.fchmod(file, 0o644)  # others may look who trains, as into every other file
        fcntl.flock(file, fcntl.LOCK_EX)
        _write(file, seeds)
    return Path(name), file


def _holds(folder: Path) -> list[Path]:
    return sorted((folder / ".holds").glob("*.lock"))


def _is_free(path: Path) -> bool:
    """Whether no living process holds the file; those who only ask, at the same time, share their lock."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False  # its holder has just removed it, or it is another user's
    try:
        return try_lock(file, fcntl.LOCK_SH)
    finally:
        os.close(file)


def _read(path: Path) -> Holder | None:
    """Return who wrote the file; None where it is unreadable, since its writer may be in the middle of it."""
    try:
        found = Holder(**json.loads(path.read_bytes()))
        return found._replace(seeds=tuple(found.seeds))
    except (OSError, ValueError, TypeError):
        return None


def _write(file: int, seeds: Sequence[int]) -> None:
    me = Holder(os.getpid(), socket.gethostname(), time.strftime("%Y-%m-%d %H:%M:%S"), tuple(seeds))
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(me._asdict()).encode(), 0)
