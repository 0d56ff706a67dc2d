"""Lines of the paper's text that look doubtful beside the errata and hold as printed, each shown by a number.

statements.yaml has their words.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from homotopy.theory import bounds, errata, near_optimum
from homotopy.theory.demonstration import Demonstration
from homotopy.theory.problems import isotropic
from homotopy.theory.sgd import Array, exactly


def recursion() -> Demonstration:
    """Eq. 26 on a round quadratic, where both of its inequalities are equalities."""
    problem, alpha, start = isotropic(travel=0.0), 0.1, 4.0
    errors, gradients = problem.exact(np.array([math.sqrt(start), 0.0]), 0.0, alpha, 1)
    bound = bounds.contraction(alpha, problem.mu, 1) * start + alpha**2 * gradients[0]
    return Demonstration(bound, exactly(errors[1]), math.isclose(bound, errors[1]))


def proposition() -> Demonstration:
    """Prop. 3.7 where Eq. 27 fails."""
    problem, alpha, k = isotropic(travel=0.0), 0.1, 5
    start, c2 = errata.stationary(problem, alpha)
    bound = bounds.iterate_error(start, alpha, problem.mu, c2, k)
    error = problem.exact(np.array([math.sqrt(start), 0.0]), 0.0, alpha, k)[0][-1]
    return Demonstration(bound, exactly(error), error <= bound)


def step() -> Demonstration:
    """Eq. 10 and 31: from the smallest radius on there is a step, and at the step Eq. 31 is an equality."""
    alpha, mu, c2, k, delta = 0.1, 1.0, 1.0, 5, 2.0

    def admitted(square_radius: float) -> float:
        return bounds.admissible_step(math.sqrt(square_radius), delta, alpha, mu, c2, k)

    smallest = bounds.smallest_square_radius(alpha, mu, c2, k)
    start = (math.sqrt(2 * smallest) + delta * admitted(2 * smallest)) ** 2
    reached = bounds.iterate_error(start, alpha, mu, c2, k)
    shown = math.isclose(reached, 2 * smallest) and admitted(0.99 * smallest) < 0 < admitted(1.01 * smallest)
    return Demonstration(2 * smallest, exactly(reached), shown)


def estimates(gradients: Array, size: int, reading: near_optimum.Reading) -> tuple[Array, Array]:
    """Return g, (d,), and g~ of every batch of `size` of the component gradients (N, d), (batches, d)."""
    n = len(gradients)
    drawn = np.array(list(combinations(range(n), size)))
    return reading.data(n, size) * gradients.sum(axis=0), reading.batch(n, size) * gradients[drawn].sum(axis=1)


def mended() -> Demonstration:
    """G.1 with 1/N in Eq. 32, over all batches of 3 of 6 gradients that point up or down."""
    up, size, nu = np.ones((3, 1)), 3, 1.0
    g, found = estimates(np.concatenate([up, -up]), size, near_optimum.READINGS[near_optimum.MENDED])
    largest = float(np.linalg.norm(g - found, axis=1).max())
    printed, own = (of(6, size, nu) for of in (bounds.batch_noise_as_printed, bounds.batch_noise_of_means))
    shown = np.allclose(found.mean(axis=0), g) and math.isclose(largest, own) and own <= printed
    return Demonstration(printed, exactly(largest), bool(shown))
