"""Timing that a busy or throttled machine cannot bias: contestants take turns, and ratios are taken turn by turn."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of n measurements."""

    median: float
    q25: float
    q75: float
    n: int

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """Summarise values (n,)."""
        q25, median, q75 = np.percentile(values, [25, 50, 75])
        return cls(float(median), float(q25), float(q75), len(values))


Cell = str | int | float | Spread
Times = dict[str, np.ndarray]


@dataclass(frozen=True)
class Section:
    """A table with its title and the sentences above it."""

    name: str
    title: str
    text: str
    columns: list[str]
    rows: list[list[Cell]]


def _seconds(run: Callable[[], object], repeats: int) -> float:
    began = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - began) / repeats


def in_turn(contestants: Mapping[str, Callable[[], object]], rounds: int, calls: Mapping[str, int]) -> Times:
    """Call each contestant calls[name] times in each of `rounds` turns; mean seconds of a call, (rounds,) of each."""
    turns = [[_seconds(run, calls[name]) for name, run in contestants.items()] for _ in range(rounds)]
    return dict(zip(contestants, np.array(turns).T, strict=True))


def interleaved(contestants: Mapping[str, Callable[[], object]], rounds: int, least: float = 0.5) -> Times:
    """Run all contestants in turn, `rounds` times; mean seconds of a call in each turn (rounds,) of each.

    Before that each is called once to warm up, and once to see how many calls make a turn of `least` seconds: long
    enough for threads to have found their cores, short enough that the machine is the same for all.
    """
    for run in contestants.values():
        run()
    calls = {name: math.ceil(least / _seconds(run, 1)) for name, run in contestants.items()}
    return in_turn(contestants, rounds, calls)
