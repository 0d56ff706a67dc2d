"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere, and where a whole study stands."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from types import TracebackType
from typing import Any

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 30.0

# tqdm's own lock is shared with forked processes: one killed while it holds the lock would stop all the others
tqdm.set_lock(threading.RLock())


def say(message: str) -> None:
    """Print one line on stderr, above a bar if there is one."""
    tqdm.write(message, file=sys.stderr)
    sys.stderr.flush()


@cache
def say_once(message: str) -> None:
    """Say it, but not again in this process."""
    say(message)


class Study:
    """The jobs of one command: which of them is being done, and the time until all are."""

    def __init__(self, jobs: Sequence[str] = (), epochs: Mapping[str, int] | None = None) -> None:
        """`jobs` are their names; `epochs` those that are left to train, of all seeds together, by name."""
        self._jobs, self._epochs = set(jobs), dict(epochs or {})
        self._entered: list[str] = []
        self._done = self._left = 0
        self._start = time.monotonic()

    def enter(self, job: str) -> None:
        """Begin a job, or another part of one; those before it are done or have failed."""
        if job not in self._entered:
            self._left = sum(epochs for name, epochs in self._epochs.items() if name not in self._entered)
            self._entered.append(job)

    def advance(self, epochs: int) -> None:
        """Count epochs of some seeds."""
        self._done += epochs
        self._left -= epochs

    def skip(self, epochs: int) -> None:
        """Leave out epochs that were trained before."""
        self._left -= epochs

    def position(self) -> str:
        """Return which of several jobs is being done, to be put before what is said of it."""
        return f"{len(self._entered)} of {len(self._jobs)}: " if len(self._jobs) > 1 else ""

    def left(self) -> str:
        """Return the time until all of several jobs are done, as fast as it went, to be put behind; or nothing."""
        if len(self._jobs) < 2 or self._done == 0 or self._left <= 0:
            return ""
        seconds = (time.monotonic() - self._start) / self._done * self._left
        return f", {tqdm.format_interval(seconds)} left for all"


_study = Study()


def begin(study: Study) -> None:
    """Let progress be that of a study, in this process."""
    global _study
    _study = study


def study() -> Study:
    """Return the study that this process works on; one without jobs where none was begun."""
    return _study


class Progress:
    """Counts epochs of one group of seeds and shows lam, the median loss and the time left."""

    def __init__(self, title: str, total: int, done: int = 0, seeds: int = 0) -> None:
        """`done` of `total` epochs were run before; of `seeds` they count in the study, where it knows of them."""
        title = f"{_study.position()}{title}"
        _study.skip(seeds * done)
        self._seeds = seeds
        self._terminal = sys.stderr.isatty()
        options: dict[str, Any] = {"unit": "epoch", "mininterval": 0.5, "leave": False, "disable": not self._terminal}
        self._bar = tqdm(total=total, initial=done, desc=title, **options)
        self._title, self._total, self._done, self._first = title, total, done, done
        self._start = self._line = time.monotonic()

    def advance(self, lam: float, loss: float) -> None:
        """Count one epoch that ended with this median loss."""
        self._done += 1
        _study.advance(self._seeds)
        if self._terminal:
            self._bar.set_postfix_str(f"lam {lam:.3g}, loss {loss:.3g}{_study.left()}", refresh=False)
            self._bar.update()
        elif time.monotonic() - self._line >= _SECONDS_BETWEEN_LINES:
            self._line = time.monotonic()
            left = (self._line - self._start) / (self._done - self._first) * (self._total - self._done)
            say(
                f"{self._title}: epoch {self._done}/{self._total}, lam {lam:.3g}, loss {loss:.3g}, "
                f"{tqdm.format_interval(left)} left{_study.left()}"
            )

    def __enter__(self) -> Progress:
        """Return itself."""
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Remove the bar."""
        self._bar.close()
