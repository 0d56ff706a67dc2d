"""Theorem 3.9: the ball's radius, the admissible step of lam, and whether the error stays inside along a whole path."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from homotopy.algorithm import schedules
from homotopy.streams import Purpose, generator
from homotopy.theory import bounds
from homotopy.theory.problems import Problem, delta, turning
from homotopy.theory.sgd import Mean, Rows, compared, exactly, iterates, mean_with_interval, run, square_norm

RADIUS_FACTOR = 1.5  # r^2 over the smallest r^2 that the theorem admits
FACTORS = (1, 2, 4, 8, 16, 32, 64)  # steps of lam over the admissible one


@dataclass(frozen=True)
class Setting:
    """Theorem 3.9's constants on one problem; `step` is the largest admissible change of lam, c2 the C^2 it needs."""

    alpha: float
    k: int
    delta: float
    radius: float
    c2: float
    step: float


def bisect(decreasing: Callable[[float], float], low: float, high: float) -> float:
    """Return a point where a decreasing function is still >= 0 and, 1e-9 (high - low) further, is not."""
    precision = 1e-9 * (high - low)
    while high - low > precision:
        middle = (low + high) / 2
        low, high = (middle, high) if decreasing(middle) >= 0 else (low, middle)
    return low


def second_moment(problem: Problem, alpha: float, radius: float, move: float) -> float:
    """Return C^2 for a whole path: when lam has just changed, theta is at most radius + move away from its optimum."""
    return problem.second_moment(problem.largest_error((radius + move) ** 2, alpha))


def setting(problem: Problem, alpha: float, k: int) -> Setting:
    """Choose the radius and the step. C depends on both, so that each is found together with the C that it implies.

    alpha must be below 2 mu/L^2 (L the smoothness), for with the C known here no ball exists otherwise: C^2 grows
    faster than r^2.
    """
    speed = delta(problem)

    def excess(square_radius: float) -> float:
        c2 = second_moment(problem, alpha, math.sqrt(square_radius), 0.0)
        return bounds.smallest_square_radius(alpha, problem.mu, c2, k) - square_radius

    largest = 1.0
    while excess(largest) >= 0:
        largest *= 2
    radius = math.sqrt(RADIUS_FACTOR * bisect(excess, 0.0, largest))

    def room(step: float) -> float:
        c2 = second_moment(problem, alpha, radius, speed * step)
        return bounds.admissible_step(radius, speed, alpha, problem.mu, c2, k) - step

    step = bisect(room, 0.0, 1.0)
    return Setting(alpha, k, speed, radius, second_moment(problem, alpha, radius, speed * step), step)


def step_size_and_iterations(problem: Problem, curvature: float) -> tuple[float, int]:
    """Return the alpha and k to follow a path with: a fifth of 2 mu/L^2, and 0.6/(alpha mu) iterations a step."""
    alpha = min(0.4 * problem.mu / curvature**2, problem.largest_step_size)
    return alpha, math.ceil(0.6 / (alpha * problem.mu))


def follow(problem: Problem, use: Setting, gamma: int, repetitions: int, rng: np.random.Generator) -> list[Mean]:
    """Run Algorithm 1 with gamma steps from the ball's far side; return E||theta_i - theta*_i||^2 for i = 0..gamma."""
    velocity = problem.velocity(0.0)
    start = problem.optimum(0.0) - use.radius * velocity / np.linalg.norm(velocity)
    theta = np.tile(start, (repetitions, 1))
    errors = [exactly(use.radius**2)]
    for lam in schedules.linear(gamma):
        theta = run(theta, problem.gradient(lam), use.alpha, use.k, rng)
        errors.append(mean_with_interval(square_norm(theta - problem.optimum(lam))))
    return errors


def one_run(seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Record a single run of Algorithm 1 on a curved path in the plane, with the theorem's radius and step (Fig. 9).

    Returns the iterates (i, k, lam, x, y), k = 0 where step i begins, and the balls (i, lam, x, y, radius), from i = 0.
    """
    problem = dataclasses.replace(turning(), noise=4.0)
    alpha = 0.2 * problem.mu / problem.smoothness**2
    use = setting(problem, alpha, math.floor(2.5 / (alpha * problem.mu)))
    rng = generator(seed, Purpose.THEORY, 10)
    theta, iterates_seen = problem.optimum(0.0)[None], []
    lams = schedules.linear(math.ceil(1 / use.step))
    for i, lam in enumerate(lams, start=1):
        for k, (iterate, _) in enumerate(islice(iterates(theta, problem.gradient(lam), alpha, rng), use.k + 1)):
            theta = iterate
            iterates_seen.append({"i": i, "k": k, "lam": lam, "x": theta[0, 0], "y": theta[0, 1]})
    optima = [problem.optimum(lam) for lam in (0.0, *lams)]
    balls = [
        {"i": i, "lam": lam, "x": centre[0], "y": centre[1], "radius": use.radius}
        for i, (lam, centre) in enumerate(zip((0.0, *lams), optima, strict=True))
    ]
    return iterates_seen, balls


def gammas(step: float) -> list[int]:
    """Numbers of steps: the fewest that the theorem admits, then those for steps FACTORS times larger, down to 1."""
    fewest = math.ceil(1 / step)
    return sorted({max(1, fewest // factor) for factor in FACTORS}, reverse=True)


def rows(problems: Sequence[Problem], repetitions: int, seed: int) -> Rows:
    """Rows problem x gamma x step i: lam, the measured error with its interval, and r^2, its bound."""
    for p, problem in enumerate(problems):
        curvature = float(np.sqrt(problem.second_moment(1e12) / 1e12))  # L, from how E||g||^2 grows
        use = setting(problem, *step_size_and_iterations(problem, curvature))
        for gamma in gammas(use.step):
            errors = follow(problem, use, gamma, repetitions, generator(seed, Purpose.THEORY, 2, p, gamma))
            for i, error in enumerate(errors):
                yield _row(problem, use, gamma, i, error)


def _row(problem: Problem, use: Setting, gamma: int, i: int, error: Mean) -> dict[str, Any]:
    return {
        "problem": problem.name, "mu": problem.mu, "delta": use.delta, "alpha": use.alpha, "k": use.k,
        "C": math.sqrt(use.c2), "admissible": use.step, "gamma": gamma, "step_over_admissible": 1 / gamma / use.step,
        "i": i, "lam": i / gamma, **compared(use.radius**2, error),
    }  # fmt: skip
