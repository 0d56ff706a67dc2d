"""Section G: a sum of functions that is strongly convex only inside a ball around each of its many optima.

H(theta, lam) = sum_j l_j, l_j = sum_i (1 - cos(theta_i - c_ji - lam v_i)), is again a cosine in each coordinate, so
that its optimum, curvature, contraction rate and gradient bounds are known in closed form; it repeats every 2 pi.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from homotopy import schedules
from homotopy.streams import Purpose, generator
from homotopy.theory import bounds
from homotopy.theory.sgd import Array, Mean, iterates, mean_with_interval, square_norm, verdict

Scale = Callable[[int, int], float]  # from N and M to the factor of the batch's summed gradients

# What g~ of Section G.1 may mean: printed is the batch's mean beside the data's sum; only the last is unbiased.
READINGS: dict[str, Scale] = {
    "mean of the batch (printed)": lambda n, m: 1 / m,
    "sum over the batch": lambda n, m: 1.0,
    "unbiased, N/M of the sum": lambda n, m: n / m,
}
UNCLAIMED = {"holds": "not claimed"}  # where the bound's conditions are not met


@dataclass(frozen=True, eq=False)
class Wells:
    """The sum of cosines; centres c (N, d), v (d,), strongly convex within `ball` < pi/2 of theta*(lam)."""

    centres: Array
    travel: Array
    ball: float

    @cached_property
    def _mean_phase(self) -> Array:
        return np.exp(1j * self.centres).mean(axis=0)

    @property
    def components(self) -> int:
        """N."""
        return len(self.centres)

    @property
    def amplitude(self) -> tuple[float, float]:
        """Smallest and largest coefficient of the mean function's cosines."""
        size = np.abs(self._mean_phase)
        return float(size.min()), float(size.max())

    @property
    def delta(self) -> float:
        """Speed of the optimum, ||v||."""
        return float(np.linalg.norm(self.travel))

    @property
    def mu(self) -> float:
        """Strong convexity of the mean function H/N inside the ball."""
        return self.amplitude[0] * math.cos(self.ball)

    @cached_property
    def nu(self) -> float:
        """Bound of every ||grad l_j|| inside the ball (Eq. 35): the largest sine per coordinate, over the centres."""
        reach = self.ball + np.abs(np.angle(self._mean_phase) - self.centres)
        return float(np.sqrt((np.sin(np.minimum(reach, math.pi / 2)) ** 2).sum(axis=1)).max())

    def optimum(self, lam: float) -> Array:
        """theta*(lam), the one of its many copies that starts nearest to 0, (d,)."""
        return np.angle(self._mean_phase) + lam * self.travel

    def rate(self, alpha: float) -> float:
        """k_d of Eq. 33 inside the ball, for alpha <= 1/(N amplitude): u - alpha N a sin(u), sin(u)/u >= sin(B)/B."""
        return 1 - alpha * self.components * self.amplitude[0] * math.sin(self.ball) / self.ball

    def component_gradients(self, theta: Array, lam: float) -> Array:
        """Every grad l_j at theta (R, d), (R, N, d)."""
        return np.sin(theta[:, None, :] - self.centres - lam * self.travel)

    def gradient(self, lam: float, batch: int, scale: Scale) -> Callable[[Array, np.random.Generator], Array]:
        """Return the estimate of the sum's gradient from `batch` components without replacement."""
        factor = scale(self.components, batch)

        def g(theta: Array, rng: np.random.Generator) -> Array:
            keys = rng.random((len(theta), self.components))
            drawn = np.argpartition(keys, batch - 1, axis=1)[:, :batch]
            return factor * np.sin(theta[:, None, :] - self.centres[drawn] - lam * self.travel).sum(axis=1)

        return g


def wells(rng: np.random.Generator) -> Wells:
    """Twenty components in two dimensions; the optimum moves by 5, nearer to the next copy than to where it was."""
    return Wells(rng.uniform(-0.8, 0.8, size=(20, 2)), np.array([4.0, 3.0]), 1.0)


def on_sphere(radius: float, repetitions: int, dimension: int, rng: np.random.Generator) -> Array:
    """Points uniform on a sphere, (repetitions, dimension)."""
    direction = rng.standard_normal((repetitions, dimension))
    return radius * direction / np.sqrt(square_norm(direction))[:, None]


def noise_rows(problem: Wells, repetitions: int, seed: int) -> list[dict[str, Any]]:
    """Eq. 37's ||g - g~|| <= (N - M) nu, for each reading of g~ and several M, over points on the ball's boundary."""
    rng, n, found = generator(seed, Purpose.THEORY, 3), problem.components, []
    theta = problem.optimum(0.0) + on_sphere(problem.ball, repetitions, 2, rng)
    full = problem.component_gradients(theta, 0.0).sum(axis=1)
    for reading, scale in READINGS.items():
        for batch in (1, 5, 10, 15, 19):
            g = problem.gradient(0.0, batch, scale)(theta, rng)
            value, bound = float(np.sqrt(square_norm(full - g).max())), (n - batch) * problem.nu
            found.append(_row("G.1, noise", reading, {"M": batch, "nu": problem.nu}, bound, Mean(value, value, value)))
    return found


def stay_rows(problem: Wells, repetitions: int, seed: int) -> list[dict[str, Any]]:
    """Section G.1: the farthest distance in 200 iterations from the boundary, against B, at the smallest M allowed.

    The condition alpha (N - M) nu <= (1 - k_d) B, with factor 2 where g~ is unbiased. M = 1 follows for comparison:
    outside the condition, where nothing is claimed.
    """
    found, n = [], problem.components
    for share in (0.2, 1.0):
        alpha = share / (n * problem.amplitude[1])
        slack = (1 - problem.rate(alpha)) * problem.ball
        for reading, scale in READINGS.items():
            factor = 2.0 if reading.startswith("unbiased") else 1.0
            smallest = math.ceil(bounds.smallest_batch(n, problem.nu, slack, alpha, factor))
            for batch in (smallest, 1):
                rng = generator(seed, Purpose.THEORY, 4, batch)
                farthest = _farthest(problem, alpha, batch, scale, repetitions, rng)
                settings = {"M": batch, "smallest M": smallest, "alpha": alpha}
                settings["left"] = (farthest > problem.ball).mean()
                value = float(farthest.max())
                row = _row("G.1, ball", reading, settings, problem.ball, Mean(value, value, value))
                found.append(row if batch >= smallest else row | UNCLAIMED)
    return found


def _farthest(
    problem: Wells, alpha: float, batch: int, scale: Scale, repetitions: int, rng: np.random.Generator
) -> Array:
    optimum = problem.optimum(0.0)
    theta = optimum + on_sphere(problem.ball, repetitions, 2, rng)
    farthest = np.zeros(repetitions)
    for iterate, _ in islice(iterates(theta, problem.gradient(0.0, batch, scale), alpha, rng), 1, 201):
        farthest = np.maximum(farthest, np.sqrt(square_norm(iterate - optimum)))
    return farthest


def iterate_rows(problem: Wells, repetitions: int, seed: int) -> list[dict[str, Any]]:
    """Eq. 8 applied inside the ball to the mean function: mu = a cos(B), C = nu, unbiased g~ of 15 components."""
    found, n, batch = [], problem.components, 15
    for share in (0.05, 0.3, 0.9):
        alpha = share / problem.amplitude[1]  # for the mean function: N times the sum's
        rng = generator(seed, Purpose.THEORY, 5)
        theta = problem.optimum(0.0) + on_sphere(problem.ball, repetitions, 2, rng)
        mean = problem.gradient(0.0, batch, lambda n, m: 1 / m)
        for k, (iterate, _) in enumerate(islice(iterates(theta, mean, alpha, rng), 65)):
            if k in (1, 4, 16, 64):
                bound = bounds.iterate_error(problem.ball**2, alpha, problem.mu, problem.nu**2, k)
                error = mean_with_interval(square_norm(iterate - problem.optimum(0.0)))
                settings = {"M": batch, "alpha": alpha / n, "k": k, "mu": problem.mu, "nu": problem.nu}
                found.append(_row("Prop. 3.7 in the ball", "mean function", settings, bound, error))
    return found


def move_rows(problem: Wells, repetitions: int, seed: int) -> list[dict[str, Any]]:
    """Prop. G.1: the farthest ||theta_i - theta*_{i+1}|| over points with ||theta_i - theta*_i|| = B - delta eps."""
    found, rng = [], generator(seed, Purpose.THEORY, 6)
    for share in (0.1, 0.5, 0.9):
        step = share * problem.ball / problem.delta
        radius = bounds.distance_before_step(problem.ball, problem.delta, step)
        worst = -radius * problem.travel / problem.delta
        offsets = np.concatenate([on_sphere(radius, repetitions, 2, rng), worst[None]])
        distance = problem.optimum(0.0) + offsets - problem.optimum(step)
        value = float(np.sqrt(square_norm(distance).max()))
        settings = {"delta": problem.delta, "step": step}
        found.append(_row("Prop. G.1", "worst direction included", settings, problem.ball, Mean(value, value, value)))
    return found


def path_rows(problem: Wells, repetitions: int, seed: int) -> list[dict[str, Any]]:
    """A whole path: steps small enough that every realisation stays in the balls, and the direct jump for comparison.

    k iterations leave at most k_d^k B + 2 alpha (N - M) nu/(1 - k_d) of the distance, surely, and what is then left of
    B is delta eps. The direct jump has a fair budget: the same iterations, all at lam = 1.
    """
    n, batch, k = problem.components, 16, 20
    alpha = 0.5 / (n * problem.amplitude[1])
    rate = problem.rate(alpha)
    surely = rate**k * problem.ball + 2 * alpha * (n - batch) * problem.nu / (1 - rate)
    step = (problem.ball - surely) / problem.delta
    gamma, found = math.ceil(1 / step), []
    for label, lams in {"path": schedules.linear(gamma), "direct": (1.0,)}.items():
        rng = generator(seed, Purpose.THEORY, 7)
        farthest, last = _follow(problem, lams, alpha, batch, gamma * k // len(lams), repetitions, rng)
        settings = {"M": batch, "alpha": alpha, "k": k, "gamma": len(lams), "step": step}
        settings["left"] = (farthest > problem.ball).mean()
        settings["wrong optimum"] = (last > math.pi).mean()
        value = float(farthest.max())
        row = _row("Section G.2", label, settings, problem.ball, Mean(value, value, value))
        found.append(row if len(lams) == gamma else row | UNCLAIMED)
    return found


def _follow(
    problem: Wells, lams: tuple[float, ...], alpha: float, batch: int, k: int, repetitions: int,
    rng: np.random.Generator,
) -> tuple[Array, Array]:  # fmt: skip
    """Return each run's farthest distance from the optimum of the moment, and its last, both (R,)."""
    theta = np.tile(problem.optimum(0.0), (repetitions, 1))
    farthest = distance = np.zeros(repetitions)
    for lam in lams:
        g = problem.gradient(lam, batch, READINGS["unbiased, N/M of the sum"])
        for iterate, _ in islice(iterates(theta, g, alpha, rng), k + 1):
            theta, distance = iterate, np.sqrt(square_norm(iterate - problem.optimum(lam)))
            farthest = np.maximum(farthest, distance)
    return farthest, distance


def rows(repetitions: int, seed: int) -> list[dict[str, Any]]:
    """Every check of Section G on the same problem; a maximum over repetitions has no interval."""
    problem = wells(generator(seed, Purpose.THEORY, 8))
    checks = (noise_rows, stay_rows, iterate_rows, move_rows, path_rows)
    return [row for check in checks for row in check(problem, repetitions, seed)]


def _row(bound_of: str, case: str, settings: dict[str, Any], bound: float, measured: Mean) -> dict[str, Any]:
    return {
        "bound_of": bound_of, "case": case, **settings, "bound": bound, "measured": measured.value,
        "low": measured.low, "high": measured.high, "ratio": measured.value / bound,
        "holds": verdict(bound, measured.low, measured.high),
    }  # fmt: skip
