"""Schedules: the increasing sequence of lam that Algorithm 1 visits, ending exactly at 1 (Section 2.1).

To add one, write a function of its settings here, whose annotations are checked, decorate it, and add
conf/schedule/<its name>.yaml.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from homotopy.errors import ConfigError
from homotopy.settings import call, check, positive, such_that, within

Lams = tuple[float, ...]
_MOST = 10_000  # steps
Steps = Annotated[int, such_that(within(1, _MOST), f"an integer from 1 to {_MOST} (steps)")]
Positive = Annotated[float, such_that(positive, "a number above 0")]
SCHEDULES: dict[str, Callable[..., Lams]] = {}


def schedule(function: Callable[..., Lams]) -> Callable[..., Lams]:
    """Register a function of settings that returns lam_1 < ... < lam_gamma = 1."""
    SCHEDULES[function.__name__] = function
    return function


@schedule
def linear(gamma: Steps) -> Lams:
    """lam_i = i/gamma, the paper's choice (Algorithm 1, line 6)."""
    return tuple(i / gamma for i in range(1, gamma + 1))


@schedule
def geometric(gamma: Steps, ratio: Positive) -> Lams:
    """Increments that shrink (ratio < 1) or grow (ratio > 1) by `ratio` from step to step; ratio 1 is linear.

    Shrinking ones are what a linear rate of convergence allows: where each step contracts the tracking error by a
    factor, Theorem 3.9's largest step shrinks by it, too. The authors' sequel (Gargiani et al. 2020, Convergence
    Analysis of Homotopy-SGD, arXiv 2011.10298) designs its scheme for lam for such a rate. Its constants are the
    problem's, unknown for a network; `ratio` stands for them.
    """
    try:
        *sums, total = itertools.accumulate(ratio**i for i in range(gamma))
    except OverflowError:
        raise ConfigError("schedule.ratio", ratio, f"smaller, for its power {gamma - 1} to be a number") from None
    return (*(part / total for part in sums), 1.0)


@schedule
def sublinear(gamma: Steps, power: Positive) -> Lams:
    """lam_i = (i/gamma)^power: with 0 < power < 1 the steps get smaller towards the target."""
    return tuple((i / gamma) ** power for i in range(1, gamma + 1))


@schedule
def explicit(values: Annotated[list, such_that(bool, "a list of numbers")]) -> Lams:
    """The values themselves."""
    return tuple(check(value, float, "schedule.values", allowed="a number") for value in values)


@dataclass(frozen=True)
class Schedule:
    """The sequence of lam, checked: it increases within (0, 1] and ends at 1."""

    name: str
    lams: Lams
    label: str  # the name and, but for gamma, the settings, such as "geometric 0.8"

    @property
    def gamma(self) -> int:
        """The number of steps."""
        return len(self.lams)


def build(raw: Any) -> Schedule:
    """Build the schedule that the configuration's group describes; raise ConfigError for the first mistake."""
    if not isinstance(raw, Mapping):
        raise ConfigError("schedule", raw, f"one of {', '.join(SCHEDULES)}, or a group with a name")
    settings = dict(raw)
    name = str(settings.pop("name", None))
    if name not in SCHEDULES:
        raise ConfigError("schedule.name", name, f"one of {', '.join(SCHEDULES)}")
    lams = call(SCHEDULES[name], settings, "schedule")
    path = (0.0, *lams)
    if path[-1] != 1 or not all(a < b for a, b in zip(path[:-1], path[1:], strict=True)):
        shown = ", ".join(f"{key}={value}" for key, value in settings.items())
        raise ConfigError("schedule", f"{name} ({shown})", "such that lam increases within (0, 1] and ends at 1")
    label = " ".join([name, *(str(value) for key, value in settings.items() if key != "gamma")])
    return Schedule(name, lams, label)
