"""Lines of the paper's text that are false as printed, or contradict another line, each shown by a number.

statements.yaml has their words.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from homotopy.algorithm.deformations import filter_targets, linear
from homotopy.theory import bounds
from homotopy.theory.demonstration import Demonstration
from homotopy.theory.near_optimum import READINGS
from homotopy.theory.problems import Quadratic, isotropic
from homotopy.theory.sgd import Array, exactly, mean_with_interval, run, square_norm


def stationary(problem: Quadratic, alpha: float) -> tuple[float, float]:
    """Return E||theta - theta*||^2 and E||g||^2 of a round quadratic after infinitely many iterations."""
    error = alpha * problem.noise**2 / (problem.mu * (2 - alpha * problem.mu))
    return error, problem.second_moment(error)


def radius(repetitions: int, rng: np.random.Generator) -> Demonstration:
    """Eq. 9: with mu = 0.1 a radius that the printed condition admits, and lam at rest; the ball is left all the same.

    C^2 is the stationary E||g||^2, the largest along the run since the start, theta*, is nearer.
    """
    problem, alpha, k = isotropic(mu=0.1), 3.0, 20
    c2 = stationary(problem, alpha)[1]
    admitted = 1.5 * bounds.square_radius_as_printed(alpha, problem.mu, c2, k)
    theta = run(np.tile(problem.optimum(0.0), (repetitions, 1)), problem.gradient(0.0), alpha, k, rng)
    error = mean_with_interval(square_norm(theta - problem.optimum(0.0)))
    needed = bounds.smallest_square_radius(alpha, problem.mu, c2, k)
    return Demonstration(admitted, error, error.low > admitted, {"needed": needed})


def units() -> Demonstration:
    """Eq. 9 in other units of theta: lengths double, so r^2 must quadruple."""
    one, other = (0.5, 0.5, 1.0, 5), (2.0, 0.125, 0.25, 5)  # theta' = 2 theta
    printed = bounds.square_radius_as_printed(*other) / bounds.square_radius_as_printed(*one)
    proof = bounds.square_radius_for_every_alpha(*other) / bounds.square_radius_for_every_alpha(*one)
    return Demonstration(printed, exactly(proof), math.isclose(proof, 4) and not math.isclose(printed, 4))


def iterate_error(repetitions: int, rng: np.random.Generator) -> Demonstration:
    """Eq. 27's alpha^2 and "=", on a round quadratic in its stationary state, where Eq. 25 and 26 are equalities."""
    problem, alpha, k = isotropic(travel=0.0), 0.1, 5
    start, c2 = stationary(problem, alpha)
    theta = np.zeros((repetitions, 2))
    theta[:, 0] = math.sqrt(start)
    found = mean_with_interval(square_norm(run(theta, problem.gradient(0.0), alpha, k, rng)))
    printed, index = (bounds.iterate_error_as_printed(start, alpha, problem.mu, c2, j) for j in (k, k - 1))
    words = {
        "exact": problem.exact(theta[0], 0.0, alpha, k)[0][-1],
        "mended": bounds.iterate_error(start, alpha, problem.mu, c2, k),
        "whole": bounds.whole_sum(start, alpha, problem.mu, c2, k),
        "index": index,
    }
    shown = found.low > max(printed, index) and found.low <= words["exact"] <= found.high
    return Demonstration(printed, found, shown and words["exact"] < words["mended"], words)


def sines(rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw 1,000 x ~ U(0, 1) and return the source sin(x) and the target sin(137 x) there."""
    x = rng.uniform(size=1000)
    return np.sin(x), np.sin(137 * x)


def direction(rng: np.random.Generator) -> Demonstration:
    """Eq. 14 at lam = 0 against the source, which Algorithm 1 has just solved and Eq. 21 gives there."""
    source, target = sines(rng)
    printed = 0.0 * source + (1 - 0.0) * target
    ours = linear(torch.from_numpy(source), torch.from_numpy(target), 0.0).numpy()
    rmse = [float(np.sqrt(np.mean((y - source) ** 2))) for y in (printed, ours)]
    return Demonstration(rmse[0], exactly(rmse[1]), rmse[0] > 0.1 and rmse[1] == 0)


def _total_weight(places: Array, upper: float, rng: np.random.Generator) -> Array:
    """Eq. 21's sum of w_i/M at each place, for x_target ~ U(0, upper), M = 10^5, xi = 0.01."""
    x = torch.from_numpy(rng.uniform(0, upper, size=(1, 100_000, 1)))
    at = torch.from_numpy(places.reshape(1, -1, 1))
    return filter_targets(at, x, torch.ones_like(x), torch.arange(100_000)[None], 0.01).numpy().ravel()


def weight(rng: np.random.Generator) -> Demonstration:
    """Eq. 22's weights at the ends of the support of x."""
    ends = _total_weight(np.array([0.0, 1.0]), 1.0, rng)
    return Demonstration(1.0, exactly(float(ends.mean())), bool(np.all(np.abs(ends - 0.5) < 0.05)))


def density(rng: np.random.Generator) -> Demonstration:
    """Eq. 22's weights where x_target is not spread over a unit length."""
    middle = float(_total_weight(np.array([1.0]), 2.0, rng)[0])
    return Demonstration(1.0, exactly(middle), abs(middle - 0.5) < 0.05)


def sum_and_mean() -> Demonstration:
    """Eq. 32, 36 and 37: N equal gradients of norm nu; the data's sum against the batch's mean."""
    n, batch, nu = 20, 10, 1.0
    reading = READINGS["as printed"]
    difference = reading.data(n, batch) * n * nu - reading.batch(n, batch) * batch * nu
    printed = bounds.batch_noise_as_printed(n, batch, nu)
    return Demonstration(printed, exactly(difference), difference > printed)
