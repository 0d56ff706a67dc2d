"""Section G: a sum of functions that is strongly convex only inside a ball around each of its many optima.

H(theta, lam) = sum_j l_j, l_j = sum_i (1 - cos(theta_i - c_ji - lam v_i)), is again a cosine in each coordinate, so
that its optimum, curvature, contraction rate and gradient bounds are known in closed form; it repeats every 2 pi.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any, NamedTuple

import numpy as np

from homotopy.algorithm import schedules
from homotopy.streams import Purpose, generator
from homotopy.theory import bounds
from homotopy.theory.sgd import Array, Mean, Rows, compared, exactly, iterates, mean_with_interval, square_norm

Scale = Callable[[int, int], float]  # from N, the number of components, and M, the batch's, to a factor


class Reading(NamedTuple):
    """What the gradient g and its estimate g~ of Section G.1 may mean.

    g is `data` times the sum of all N component gradients, and g~ is `batch` times the sum of the M that are drawn.
    The iterates are claimed to stay in the ball if alpha factor (N - M) nu <= (1 - k_d) B. `conditions` have this
    factor: it is 1 as printed, and it is another where that follows from the reading's own bound on ||g - g~||.
    """

    data: Scale
    batch: Scale
    conditions: dict[str, Scale]

    def step(self, alpha: float, components: int) -> float:
        """Return the step size that moves theta as far in this reading as alpha does where g is the sum."""
        return alpha / self.data(components, components)


# Printed is a sum over the data (Eq. 32) beside a mean of the batch (Eq. 36). Only the last two are unbiased, and only
# the last keeps every other line of Section G.1: it puts into Eq. 32 the 1/N that Eq. 12 has.
UNBIASED = "N/M of the batch's sum"
MENDED = "1/N in Eq. 32"
_PRINTED: dict[str, Scale] = {"ball": lambda n, m: 1.0}
READINGS = {
    "as printed": Reading(lambda n, m: 1.0, lambda n, m: 1 / m, _PRINTED),
    "sum over the batch": Reading(lambda n, m: 1.0, lambda n, m: 1.0, _PRINTED),
    UNBIASED: Reading(lambda n, m: 1.0, lambda n, m: n / m, {"ball, 2 (N - M) nu": lambda n, m: 2.0}),
    MENDED: Reading(lambda n, m: 1 / n, lambda n, m: 1 / m, _PRINTED | {"ball, 2 (1 - M/N) nu": lambda n, m: 2 / n}),
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
    def smoothness(self) -> float:
        """Largest curvature of H."""
        return self.components * self.amplitude[1]

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
        """k_d of Eq. 33 inside the ball, for alpha <= 1/smoothness.

        An iteration turns a coordinate u of theta - theta* into u - alpha N a sin(u), and sin(u)/u >= sin(B)/B there.
        """
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


def noise_rows(problem: Wells, repetitions: int, seed: int) -> Rows:
    """Eq. 37's ||g - g~|| <= (N - M) nu, for each reading and several M, over points on the ball's boundary."""
    rng, n = generator(seed, Purpose.THEORY, 3), problem.components
    theta = problem.optimum(0.0) + on_sphere(problem.ball, repetitions, 2, rng)
    total = problem.component_gradients(theta, 0.0).sum(axis=1)
    for name, reading in READINGS.items():
        for batch in (1, 5, 10, 15, 19):
            g = problem.gradient(0.0, batch, reading.batch)(theta, rng)
            value = float(np.sqrt(square_norm(reading.data(n, batch) * total - g).max()))
            bound = bounds.batch_noise_as_printed(n, batch, problem.nu)
            settings = {"M": batch, "nu": problem.nu}
            yield _row(f"G.1, {name}", "||g - g~||", settings, bound, exactly(value))


def stay_rows(problem: Wells, repetitions: int, seed: int) -> Rows:
    """Section G.1: the farthest distance in 200 iterations from the boundary, against B.

    There is a row for each condition of each reading, at the smallest M that the condition allows. A row for M = 1
    follows it for comparison: the condition does not allow it, and nothing is claimed of it. The printed condition of
    the mended reading is met by M = N alone here, which is gradient descent.
    """
    alphas = [share / problem.smoothness for share in (0.2, 1.0)]
    for alpha, name in product(alphas, READINGS):
        yield from _stay(problem, alpha, name, repetitions, seed)


def smallest_batches(problem: Wells, alpha: float, reading: Reading) -> dict[str, int]:
    """Return the smallest M that each of a reading's conditions allows; alpha is the step size where g is the sum."""
    n, slack = problem.components, (1 - problem.rate(alpha)) * problem.ball
    return {
        name: math.ceil(bounds.smallest_batch(n, problem.nu, slack, reading.step(alpha, n), factor(n, n)))
        for name, factor in reading.conditions.items()
    }


def _stay(problem: Wells, alpha: float, name: str, repetitions: int, seed: int) -> Rows:
    """Return `stay_rows` for one reading; alpha is the step size where g is the sum."""
    reading = READINGS[name]
    step = reading.step(alpha, problem.components)
    for condition, smallest in smallest_batches(problem, alpha, reading).items():
        for batch in (smallest, 1):
            rng = generator(seed, Purpose.THEORY, 4, batch)
            farthest = _farthest(problem, step, batch, reading.batch, repetitions, rng)
            settings = {"M": batch, "smallest M": smallest, "alpha": step}
            settings["left"] = (farthest > problem.ball).mean()
            value = float(farthest.max())
            row = _row(f"G.1, {name}", condition, settings, problem.ball, exactly(value))
            yield row if batch >= smallest else row | UNCLAIMED


def _farthest(
    problem: Wells, alpha: float, batch: int, scale: Scale, repetitions: int, rng: np.random.Generator
) -> Array:
    optimum = problem.optimum(0.0)
    theta = optimum + on_sphere(problem.ball, repetitions, 2, rng)
    farthest = np.zeros(repetitions)
    for iterate, _ in islice(iterates(theta, problem.gradient(0.0, batch, scale), alpha, rng), 1, 201):
        farthest = np.maximum(farthest, np.sqrt(square_norm(iterate - optimum)))
    return farthest


def iterate_rows(problem: Wells, repetitions: int, seed: int) -> Rows:
    """Eq. 8 applied inside the ball to the mean function: mu = a cos(B), C = nu, unbiased g~ of 15 components.

    Iterates of that many components surely stay in the ball (Section G.1), so that only a bound below B^2 says more.
    """
    batch = 15
    for share in (0.05, 0.3, 0.9):
        alpha = share / problem.amplitude[1]  # for the mean function: N times the sum's
        rng = generator(seed, Purpose.THEORY, 5)
        theta = problem.optimum(0.0) + on_sphere(problem.ball, repetitions, 2, rng)
        mean = problem.gradient(0.0, batch, READINGS[MENDED].batch)
        for k, (iterate, _) in enumerate(islice(iterates(theta, mean, alpha, rng), 65)):
            if k in (1, 4, 16, 64):
                bound = bounds.iterate_error(problem.ball**2, alpha, problem.mu, problem.nu**2, k)
                if bound >= problem.ball**2:
                    continue
                error = mean_with_interval(square_norm(iterate - problem.optimum(0.0)))
                settings = {"M": batch, "alpha": alpha, "k": k, "mu": problem.mu, "nu": problem.nu}
                yield _row("Prop. 3.7 in the ball", "mean function", settings, bound, error)


def move_rows(problem: Wells, repetitions: int, seed: int) -> Rows:
    """Prop. G.1: the farthest ||theta_i - theta*_{i+1}|| over points with ||theta_i - theta*_i|| = B - delta eps."""
    rng = generator(seed, Purpose.THEORY, 6)
    for share in (0.1, 0.5, 0.9):
        step = share * problem.ball / problem.delta
        radius = bounds.distance_before_step(problem.ball, problem.delta, step)
        worst = -radius * problem.travel / problem.delta
        offsets = np.concatenate([on_sphere(radius, repetitions, 2, rng), worst[None]])
        distance = problem.optimum(0.0) + offsets - problem.optimum(step)
        value = float(np.sqrt(square_norm(distance).max()))
        settings = {"delta": problem.delta, "step": step}
        yield _row("Prop. G.1", "worst direction included", settings, problem.ball, exactly(value))


def path_rows(problem: Wells, repetitions: int, seed: int) -> Rows:
    """A whole path: steps small enough that every realisation stays in the balls, and the direct jump for comparison.

    Section G.2 leaves a gap here: Theorem 3.9 bounds the mean of ||theta_i - theta*||^2, while Prop. G.1 needs
    ||theta_i - theta*|| <= B - delta eps for every realisation, and Section G.1 gives only ||theta_i - theta*|| <= B.
    We close it by Eq. 37, applied k times: after k iterations the distance is surely at most
    k_d^k B + 2 alpha (N - M) nu/(1 - k_d), and delta eps is what is then left of B. The direct jump has a fair budget:
    the same number of iterations, all at lam = 1.
    """
    n, batch, k = problem.components, 16, 20
    alpha = 0.5 / problem.smoothness
    rate = problem.rate(alpha)
    surely = rate**k * problem.ball + 2 * alpha * (n - batch) * problem.nu / (1 - rate)
    step = (problem.ball - surely) / problem.delta
    gamma = math.ceil(1 / step)
    for label, lams in {"path": schedules.linear(gamma), "direct": (1.0,)}.items():
        rng = generator(seed, Purpose.THEORY, 7)
        farthest, last = _follow(problem, lams, alpha, batch, gamma * k // len(lams), repetitions, rng)
        settings = {"M": batch, "alpha": alpha, "k": k, "gamma": len(lams), "step": step}
        settings["left"] = (farthest > problem.ball).mean()
        settings["wrong optimum"] = (last > math.pi).mean()
        value = float(farthest.max())
        row = _row("Section G.2", label, settings, problem.ball, exactly(value))
        yield row if len(lams) == gamma else row | UNCLAIMED


def _follow(
    problem: Wells, lams: tuple[float, ...], alpha: float, batch: int, k: int, repetitions: int,
    rng: np.random.Generator,
) -> tuple[Array, Array]:  # fmt: skip
    """Return each run's farthest distance from the optimum of the moment, and its last, both (R,)."""
    theta = np.tile(problem.optimum(0.0), (repetitions, 1))
    farthest = distance = np.zeros(repetitions)
    for lam in lams:
        g = problem.gradient(lam, batch, READINGS[UNBIASED].batch)
        for iterate, _ in islice(iterates(theta, g, alpha, rng), k + 1):
            theta, distance = iterate, np.sqrt(square_norm(iterate - problem.optimum(lam)))
            farthest = np.maximum(farthest, distance)
    return farthest, distance


def rows(repetitions: int, seed: int) -> Rows:
    """Every check of Section G on the same problem; a maximum over repetitions has no interval."""
    problem = wells(generator(seed, Purpose.THEORY, 8))
    checks = (noise_rows, stay_rows, iterate_rows, move_rows, path_rows)
    for check in checks:
        yield from check(problem, repetitions, seed)


def _row(bound_of: str, case: str, settings: dict[str, Any], bound: float, measured: Mean) -> dict[str, Any]:
    return {"bound_of": bound_of, "case": case, **settings, **compared(bound, measured)}
