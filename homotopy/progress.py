"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
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


class Progress:
    """Counts epochs of one group of seeds and shows lam, the median loss and the time left."""

    def __init__(self, title: str, total: int, done: int = 0) -> None:
        """`done` of `total` epochs were run before."""
        self._terminal = sys.stderr.isatty()
        options: dict[str, Any] = {"unit": "epoch", "mininterval": 0.5, "leave": False, "disable": not self._terminal}
        self._bar = tqdm(total=total, initial=done, desc=title, **options)
        self._title, self._total, self._done, self._first = title, total, done, done
        self._start = self._line = time.monotonic()

    def advance(self, lam: float, loss: float) -> None:
        """Count one epoch that ended with this median loss."""
        self._done += 1
        if self._terminal:
            self._bar.set_postfix_str(f"lam {lam:.3g}, loss {loss:.3g}", refresh=False)
            self._bar.update()
        elif time.monotonic() - self._line >= _SECONDS_BETWEEN_LINES:
            self._line = time.monotonic()
            left = (self._line - self._start) / (self._done - self._first) * (self._total - self._done)
            say(
                f"{self._title}: epoch {self._done}/{self._total}, lam {lam:.3g}, loss {loss:.3g}, "
                f"{tqdm.format_interval(left)} left"
            )

    def __enter__(self) -> Progress:
        """Return itself."""
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Remove the bar."""
        self._bar.close()
