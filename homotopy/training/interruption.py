"""Signals that end a job: noted when they arrive, answered at the end of the epoch, after a checkpoint."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from homotopy.errors import Interrupted
from homotopy.progress import say

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_GO_ON = (signal.SIGUSR1, signal.SIGUSR2)  # ask for a checkpoint and nothing else
_STOP = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Notes the signals that arrive while it is entered; `answer` lets them take their usual course.

    A handler that was there before (a batch system's, which requeues the job, say) is called then, and a signal that
    was ignored before (Ctrl-C by a job in the background, say) stays so. A second Ctrl-C does not wait for the end of
    the epoch.
    """

    def __init__(self) -> None:
        self.requested: list[int] = []
        self._before: dict[int, Any] = {}

    def answer(self) -> None:
        """Do what the noted signals ask for, each once; raise Interrupted, at last, if one of them is to stop."""
        noted, self.requested = dict.fromkeys(self.requested), []
        stops = []
        for number in noted:
            handler = self._before[number]
            if callable(handler) and handler is not signal.default_int_handler:
                handler(number, None)
            elif number not in _GO_ON:
                stops.append(number)
        if stops:
            raise Interrupted(stops[0])

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            if number in self.requested:
                raise KeyboardInterrupt
            say("stopping after this epoch; once more stops at once")
        self.requested.append(number)

    def __enter__(self) -> Interruption:
        """Start noting."""
        if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
            heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._note) for number in heeded}
        return self

    def __exit__(self, *exception: object) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


@contextmanager
def passed_on() -> Iterator[None]:
    """Let signals that stop reach the child processes that train, wait for these, and raise Interrupted at the end.

    A launcher would leave its processes at work, or kill them before they have checkpoints. Without children a signal
    raises Interrupted at once; so does a second Ctrl-C.
    """
    noted: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        children = multiprocessing.active_children()
        if not children or (number == signal.SIGINT and number in noted):
            raise Interrupted(number)
        if not noted:
            say("stopping the processes after this epoch; once more stops at once")
        noted.append(number)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child.pid or 0, signal.SIGTERM)

    heeded = [number for number in _STOP if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, pass_on) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if noted:
        raise Interrupted(noted[0])


class Turns:
    """The jobs that one process does in turn for a launcher: a signal ends the present one, and there is no other then.

    Nothing is raised, as the launcher would kill its other processes for that before they have checkpoints.
    """

    def __init__(self) -> None:
        self._stopped = self._at_work = False

    def take(self, work: Callable[[], None]) -> None:
        """Do a job, unless a signal has come; it ends the job where Interruption answers it."""
        for number in _STOP:
            signal.signal(number, self._stop)
        if self._stopped:
            return
        self._at_work = True
        try:
            work()
        except Interrupted:
            pass
        finally:
            self._at_work = False

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped = True
        if self._at_work:
            raise Interrupted(number)
