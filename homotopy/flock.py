"""The only kind of lock here: `flock`, which the operating system drops when its process ends, even a killed one."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 5.0  # seconds of waiting before saying so


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[int]:
    """Lock a file, made where there is none, and yield its descriptor; `waiting` says so where that takes long.

    Raises OSError if the file cannot be opened for writing.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        told, began = False, time.monotonic()
        while not try_lock(file):
            if not told and time.monotonic() - began > PATIENCE:
                waiting()
                told = True
            time.sleep(0.02)
        yield file
    finally:
        os.close(file)


def try_lock(file: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file, if no other process has it; return whether it is locked now."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
