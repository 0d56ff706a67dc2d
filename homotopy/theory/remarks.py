"""Lines of the paper's text that may stand, with what a reader should know about them, each shown by a number.

statements.yaml has their words.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice

import numpy as np

from homotopy.streams import Purpose, generator
from homotopy.theory import bounds, errata, near_optimum, tracking
from homotopy.theory.demonstration import Demonstration
from homotopy.theory.problems import Quadratic, ill_conditioned, isotropic, strongly_convex
from homotopy.theory.sgd import Array, exactly, iterates, mean_with_interval, square_norm


def assumptions() -> Demonstration:
    """Assumptions 3.2 and 3.4 together: the largest alpha for which Theorem 3.9 has a ball at all.

    The ball is so large that the noise does not count, and k so large that nothing is left of the start.
    """
    a, b, square_radius, k = np.diag([0.5, 5.0]), np.zeros(2), 1e12, 10**6
    problem = Quadratic("diagonal", a, a, b, b, 1.0)

    def room(alpha: float) -> float:
        c2 = problem.second_moment(square_radius)
        return square_radius - bounds.smallest_square_radius(alpha, problem.mu, c2, k)

    found = tracking.bisect(room, 1e-9, 1 / problem.smoothness)
    known = 2 * problem.mu / problem.smoothness**2
    return Demonstration(1 / (2 * problem.mu), exactly(found), math.isclose(found, known, rel_tol=1e-3))


def variance(rng: np.random.Generator) -> Demonstration:
    """Remark 3.3: at the optimum, noise of constant norm has no variance of the norm."""
    problem = isotropic()
    g = problem.gradient(0.0)(np.tile(problem.optimum(0.0), (10_000, 1)), rng)
    of_norm, trace = float(np.sqrt(square_norm(g)).var()), float(g.var(axis=0).sum())
    return Demonstration(of_norm, exactly(trace), of_norm < 1e-12 and trace > 0.9)


def lipschitz() -> Demonstration:
    """Prop. 3.6 on H = (theta - ln lam)^2/2 for lam in (0, 1], which is smooth and has mu = 1."""
    near, nearer = ((math.log(lam * (1 + 1e-6)) - math.log(lam)) / (lam * 1e-6) for lam in (0.1, 0.01))
    return Demonstration(near, exactly(nearer), nearer > 9.9 * near)


def step_size(rng: np.random.Generator) -> Demonstration:
    """alpha < 1/(2 mu) does not keep SGD from diverging; Assumption 3.2 has to, and C then grows with k."""
    problem = ill_conditioned(rng)
    alpha, k = 0.9 / (2 * problem.mu), 20
    errors, gradients = problem.exact(problem.optimum(0.0), 1.0, alpha, k)
    bound = bounds.iterate_error(errors[0], alpha, problem.mu, gradients.max(), k)
    return Demonstration(bound / errors[0], exactly(errors[-1] / errors[0]), errors[0] < errors[-1] <= bound)


def more_iterations() -> Demonstration:
    """The text under Theorem 3.9: by which factor r^2 falls from k = 1 to 10, and to 10,000."""
    few, in_all = (
        bounds.smallest_square_radius(alpha, 1.0, 1.0, 1) / bounds.smallest_square_radius(alpha, 1.0, 1.0, k)
        for alpha, k in ((0.001, 10), (0.1, 10**4))
    )
    return Demonstration(10.0, exactly(few), 9.5 < few < 10 and in_all < 10, {"in_all": in_all})


def density_weight() -> Demonstration:
    """Eq. 13 for a constant prediction of y ~ Exp(1) under a normal model, by the midpoint rule on [0, 40]."""
    y = (np.arange(200_000) + 0.5) * (40 / 200_000)
    q = np.exp(-y)
    printed, plain = (float((weights * y).sum() / weights.sum()) for weights in (q * q, q))
    return Demonstration(printed, exactly(plain), math.isclose(printed, 0.5, rel_tol=1e-3) and plain > 0.99)


def objective(rng: np.random.Generator) -> Demonstration:
    """Eq. 16's square of mixed residuals is the squared error to the mixed target, for any prediction."""
    source, target = errata.sines(rng)
    prediction = rng.standard_normal(1000)
    mixed = [lam * (source - prediction) + (1 - lam) * (target - prediction) for lam in (0.0, 0.3, 1.0)]
    direct = [lam * source + (1 - lam) * target - prediction for lam in (0.0, 0.3, 1.0)]
    difference = float(np.abs(np.square(mixed) - np.square(direct)).max())
    return Demonstration(0.0, exactly(difference), difference < 1e-12)


def _largest_share(path: Array) -> float:
    """The longest move between neighbours of a path (n, d), over the length of all."""
    moves = np.sqrt(square_norm(np.diff(path, axis=0)))
    return float(moves.max() / moves.sum())


def labels(seed: int) -> Demonstration:
    """Eq. 18 mixes as Fig. 4a does: the density's maximum jumps, the optimum of a convex model does not."""
    lams, x = np.linspace(0, 1, 101), np.linspace(-2, 6, 801)
    source, target = (np.exp(-0.5 * ((x - mean) / sd) ** 2) / sd for mean, sd in ((1, 1), (5, 0.1)))
    mixtures = np.outer(1 - lams, source) + np.outer(lams, target)
    model = strongly_convex(generator(seed, Purpose.THEORY, 0))[-1]
    jump = _largest_share(x[mixtures.argmax(axis=1)][:, None])
    moved = _largest_share(np.array([model.optimum(lam) for lam in lams]))
    return Demonstration(jump, exactly(moved), jump > 0.9 and moved < 0.02)


def index() -> Demonstration:
    """Eq. 27 bounds theta_{k+1} by k factors of Eq. 26 where k + 1 were applied: larger, so no error."""
    printed, exact = (bounds.contraction(0.1, 1.0, k) for k in (5, 6))
    return Demonstration(printed, exactly(exact), printed > exact)


def batch_condition(seed: int) -> Demonstration:
    """G.1's condition in the reading with 1/N: what it asks of M, and what the reading's own bound asks."""
    problem = near_optimum.wells(generator(seed, Purpose.THEORY, 8))
    reading = near_optimum.READINGS[near_optimum.MENDED]
    printed, own = near_optimum.smallest_batches(problem, 1 / problem.smoothness, reading).values()
    return Demonstration(printed, exactly(own), own < problem.components - 1 <= printed)


def huber_gradients(ball: float, nu: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Two convex functions on the line whose gradients are bounded by nu in the ball and sum to nu u/ball there."""
    return lambda u: nu * min(1.0, 1 + u / ball), lambda u: -nu * min(1.0, 1 - u / ball)


def leaves_ball() -> Demonstration:
    """G.1 with the unbiased g~ = (N/M) sum: its condition holds, and one iteration leaves the ball."""
    ball, nu, alpha = 1.0, 1.0, 0.8
    first, second = huber_gradients(ball, nu)
    grid = np.linspace(-ball, ball, 2001)
    rate = max(abs(u - alpha * (first(u) + second(u))) / abs(u) for u in grid if u != 0)
    condition = alpha * bounds.batch_noise_as_printed(2, 1, nu) <= (1 - rate) * ball * (1 + 1e-9)
    reached = abs(0.0 - alpha * 2 * second(0.0))
    return Demonstration(ball, exactly(reached), condition and reached > ball, {"rate": rate})


def gap(repetitions: int, seed: int) -> Demonstration:
    """G.2: iterates of the cosine wells whose mean squared distance is within B - delta eps, and their next problem.

    The settings meet G.1's condition, with the factor of 2 that this reading needs: all stay in the present ball.
    """
    problem, rng = near_optimum.wells(generator(seed, Purpose.THEORY, 8)), generator(seed, Purpose.THEORY, 12)
    alpha, batch, k = 0.5 / problem.smoothness, 16, 20
    start = problem.optimum(0.0) + near_optimum.on_sphere(problem.ball, repetitions, 2, rng)
    g = problem.gradient(0.0, batch, near_optimum.READINGS[near_optimum.UNBIASED].batch)
    *_, (theta, _) = islice(iterates(start, g, alpha, rng), k + 1)
    radius = math.sqrt(mean_with_interval(square_norm(theta - problem.optimum(0.0))).high)
    eps = (problem.ball - radius) / problem.delta
    outside = mean_with_interval(np.sqrt(square_norm(theta - problem.optimum(eps))) > problem.ball)
    return Demonstration(0.0, outside, outside.low > 0)
