"""Schedules: the increasing sequence of lam that Algorithm 1 visits, ending exactly at 1 (Section 2.1)."""

from __future__ import annotations

from collections.abc import Sequence

from homotopy.errors import ConfigError


def linear(gamma: int) -> tuple[float, ...]:
    """lam_i = i/gamma, the paper's choice (Algorithm 1, line 6)."""
    return tuple(i / gamma for i in range(1, gamma + 1))


def geometric(gamma: int, ratio: float) -> tuple[float, ...]:
    """Increments that shrink (ratio < 1) or grow (ratio > 1) by `ratio` from step to step; ratio 1 is linear."""
    increments = [ratio**i for i in range(gamma)]
    total = sum(increments)
    return (*(sum(increments[:i]) / total for i in range(1, gamma)), 1.0)


def sublinear(gamma: int, power: float) -> tuple[float, ...]:
    """lam_i = (i/gamma)^power: with 0 < power < 1 the steps get smaller towards the target."""
    return tuple((i / gamma) ** power for i in range(1, gamma + 1))


def explicit(values: Sequence[float]) -> tuple[float, ...]:
    """The values themselves; they must increase within (0, 1] and end at 1."""
    path = (0.0, *values)
    if len(path) < 2 or path[-1] != 1 or any(b <= a for a, b in zip(path[:-1], path[1:], strict=True)):
        raise ConfigError("schedule.values", list(values), "a list that increases within (0, 1] and ends at 1")
    return tuple(float(value) for value in values)
