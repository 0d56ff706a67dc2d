"""Signals that end a job: noted when they arrive, answered at the end of the epoch, after a checkpoint."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from homotopy.errors import Interrupted
from homotopy.progress import say

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_GO_ON = (signal.SIGUSR1, signal.SIGUSR2)  # ask for a checkpoint and nothing else


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
