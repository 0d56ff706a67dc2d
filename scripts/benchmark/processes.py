"""Work in new processes: once in one of its own, or again and again in several at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

import torch

T = TypeVar("T")
Work = Callable[[], object]

_mine: list[Work] = []  # in a process of its own


def _prepare(build: Callable[[int, int], Work], number: int, processes: int) -> None:
    torch.set_num_threads(1)
    _mine.append(build(number, processes))


def _work() -> None:
    _mine[0]()


def in_new_process(work: Callable[..., T], *arguments: Any) -> T:
    """Return what `work` returns in a new process, where no threads and no memory are left from other work."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


class Processes:
    """As many processes as PyTorch uses threads here, but at most `most`, each with one thread and its own work."""

    def __init__(self, build: Callable[[int, int], Work], most: int | None = None) -> None:
        """Start them. Process i of n calls build(i, n) once, which must be importable, and does what that returns."""
        count = min(torch.get_num_threads(), most or torch.get_num_threads())
        self._pools = [ProcessPoolExecutor(1, get_context("spawn")) for _ in range(count)]
        for number, pool in enumerate(self._pools):
            pool.submit(_prepare, build, number, count).result()

    def __call__(self) -> None:
        """Let all work once, and wait for the last."""
        for future in [pool.submit(_work) for pool in self._pools]:
            future.result()

    def close(self) -> None:
        """End the processes."""
        for pool in self._pools:
            pool.shutdown()
