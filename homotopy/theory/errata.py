"""Places where the paper's text and its proofs disagree, or where the text says more than holds, each shown by numbers.

A row states what is printed, what holds instead, a quantity, its value by the printed text, its value in fact (measured
with its 99 % interval, or exact), and whether the demonstration came out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from homotopy.deformations import filter_targets, linear
from homotopy.streams import Purpose, generator
from homotopy.theory import bounds
from homotopy.theory.problems import Quadratic, ill_conditioned, isotropic
from homotopy.theory.sgd import Array, Mean, mean_with_interval, run, square_norm

Row = dict[str, Any]


def _row(where: str, printed: str, instead: str, quantity: str, by_text: float, found: Mean, shown: bool) -> Row:
    return {
        "where": where, "printed": printed, "instead": instead, "quantity": quantity, "by_text": by_text,
        "found": found.value, "low": found.low, "high": found.high, "shown": "yes" if shown else "no",
    }  # fmt: skip


def _exactly(value: float) -> Mean:
    return Mean(value, value, value)


def _stationary(problem: Quadratic, alpha: float) -> tuple[float, float]:
    """Return E||theta - theta*||^2 and E||g||^2 of a round quadratic after infinitely many iterations."""
    error = alpha * problem.noise**2 / (problem.mu * (2 - alpha * problem.mu))
    return error, problem.second_moment(error)


def radius_row(repetitions: int, rng: np.random.Generator) -> Row:
    """Eq. 9: with mu = 0.1 a radius that the printed condition admits, and lam at rest; the ball is left all the same.

    C^2 is the stationary E||g||^2, the largest along the run since the start, theta*, is nearer.
    """
    problem, alpha, k = isotropic(mu=0.1), 3.0, 20
    c2 = _stationary(problem, alpha)[1]
    admitted = 1.5 * bounds.square_radius_as_printed(alpha, problem.mu, c2, k)
    theta = run(np.tile(problem.optimum(0.0), (repetitions, 1)), problem.gradient(0.0), alpha, k, rng)
    error = mean_with_interval(square_norm(theta - problem.optimum(0.0)))
    needed = bounds.smallest_square_radius(alpha, problem.mu, c2, k)
    return _row(
        "Eq. 9, 28", "r^2 > C^2/(4 mu (1 - (1 - 2 alpha mu)^k))",
        f"the proof needs alpha C^2/(2 mu (...)), here {needed:.3g}, for every alpha C^2/(4 mu^2 (...)); "
        "with the printed r Eq. 10 is negative: no step, not even 0",
        f"E||theta - theta*||^2 after k = {k} from theta*, mu = 0.1, alpha = 3, delta lam = 0; by the text at most r^2",
        admitted, error, error.low > admitted,
    )  # fmt: skip


def units_row() -> Row:
    """Eq. 9 in other units of theta: lengths double, so r^2 must quadruple."""
    one = bounds.square_radius_as_printed(0.5, 0.5, 1.0, 5)
    scaled = bounds.square_radius_as_printed(2.0, 0.125, 0.25, 5)  # theta' = 2 theta
    proof = bounds.square_radius_for_every_alpha(2.0, 0.125, 0.25, 5) / bounds.square_radius_for_every_alpha(
        0.5, 0.5, 1.0, 5
    )
    return _row(
        "Eq. 9, 28", "mu", "mu^2: the printed r^2 is no squared length",
        "factor of r^2 when theta is measured in half the unit: printed, and by the proof",
        scaled / one, _exactly(proof), math.isclose(proof, 4) and not math.isclose(scaled / one, 4),
    )  # fmt: skip


def equality_row(repetitions: int, rng: np.random.Generator) -> Row:
    """Eq. 27's "=": the dropped factor makes it strict, shown where all other steps of the proof are equalities."""
    problem, alpha, k = isotropic(travel=0.0, dimension=2), 0.1, 5
    start, c2 = _stationary(problem, alpha)
    theta = np.zeros((repetitions, 2))
    theta[:, 0] = math.sqrt(start)
    error = mean_with_interval(square_norm(run(theta, problem.gradient(0.0), alpha, k, rng)))
    whole = bounds.whole_sum(start, alpha, problem.mu, c2, k)
    return _row(
        "Eq. 27", "=", f"<=; with the geometric sum kept whole it is {whole:.4g}, an equality here",
        "E||theta_k - theta*||^2 of a round quadratic from its stationary error, k = 5",
        bounds.iterate_error(start, alpha, problem.mu, c2, k), error, error.low <= whole <= error.high,
    )  # fmt: skip


def more_iterations_row() -> Row:
    """The text under Theorem 3.9: r falls as k grows. With the sum kept whole the smallest radius has no k in it."""
    few, many = (bounds.smallest_square_radius(0.1, 1.0, 1.0, k) for k in (1, 10**4))
    floor = bounds.noise_floor(0.1, 1.0, 1.0)
    return _row(
        "Text after Thm 3.9", "the radius is inversely proportional to k",
        f"it saturates at alpha C^2/(2 mu) = {floor:.3g}, and is that for every k if Eq. 27's sum is kept whole",
        "smallest r^2 at k = 1 over that at k = 10,000, alpha = 0.1, mu = C = 1",
        1e4, _exactly(few / many), few / many < 10,
    )  # fmt: skip


def step_size_row(rng: np.random.Generator) -> Row:
    """alpha < 1/(2 mu) does not keep SGD from diverging; Assumption 3.2 has to, and C then grows with k."""
    problem = ill_conditioned(rng)
    alpha = 0.9 / (2 * problem.mu)
    errors, gradients = problem.exact(problem.optimum(0.0), 1.0, alpha, 20)
    bound = bounds.iterate_error(errors[0], alpha, problem.mu, gradients.max(), 20)
    return _row(
        "Prop. 3.7", "alpha < 1/(2 mu)",
        f"alpha < 2/L too, or C grows with k; Eq. 8 itself then still holds (bound {bound:.3g})",
        "E||theta_20 - theta*||^2 over its start, condition 10, alpha = 0.9/(2 mu)",
        1.0, _exactly(errors[-1] / errors[0]), errors[-1] > errors[0] and errors[-1] <= bound,
    )  # fmt: skip


def variance_row(rng: np.random.Generator) -> Row:
    """Remark 3.3: at the optimum, noise of constant norm has no variance of the norm."""
    problem = isotropic()
    g = problem.gradient(0.0)(np.tile(problem.optimum(0.0), (10_000, 1)), rng)
    norms = np.sqrt(square_norm(g))
    return _row(
        "Remark 3.3", "E||g||^2 = Var(||g||) + E[||g||]^2, so C shows the gradient's variance",
        "true of the norm, but it separates nothing: E||g||^2 = tr Cov(g) + ||E g||^2 is meant",
        "noise of norm 1 at the optimum: Var(||g||) and tr Cov(g)",
        float(norms.var()), _exactly(float(g.var(axis=0).sum())), norms.var() < 1e-12 and g.var(axis=0).sum() > 0.9,
    )  # fmt: skip


def _sines(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    x = rng.uniform(size=1000)
    return x, np.sin(x), np.sin(137 * x)


def direction_row(rng: np.random.Generator) -> Row:
    """Eq. 14 at lam = 0 against the source, which Algorithm 1 has just solved and Eq. 21 gives there."""
    _, source, target = _sines(rng)
    printed = 0.0 * source + (1 - 0.0) * target
    ours = linear(torch.from_numpy(source), torch.from_numpy(target), 0.0).numpy()
    rmse = [float(np.sqrt(np.mean((y - source) ** 2))) for y in (printed, ours)]
    return _row(
        "Eq. 14, 16, 20", "y_lam = lam y_source + (1 - lam) y_target",
        "(1 - lam) y_source + lam y_target, as in Eq. 17, 18, 21",
        "root mean square distance of y_0 to the source sin(x), omega 137: printed, and ours",
        rmse[0], _exactly(rmse[1]), rmse[0] > 0.1 and rmse[1] == 0,
    )  # fmt: skip


def objective_row(rng: np.random.Generator) -> Row:
    """Eq. 16's square of mixed residuals is the squared error to the mixed target, for any prediction."""
    _, source, target = _sines(rng)
    prediction = rng.standard_normal(1000)
    mixed = [lam * (source - prediction) + (1 - lam) * (target - prediction) for lam in (0.0, 0.3, 1.0)]
    direct = [lam * source + (1 - lam) * target - prediction for lam in (0.0, 0.3, 1.0)]
    difference = float(np.abs(np.square(mixed) - np.square(direct)).max())
    return _row(
        "Eq. 16", "||lam (y_s - f) + (1 - lam)(y_t - f)||^2", "the squared error to y_lam: one loss, one target",
        "largest difference of the two over 1,000 points and three lam",
        0.0, _exactly(difference), difference < 1e-12,
    )  # fmt: skip


def _total_weight(places: Array, upper: float, rng: np.random.Generator) -> Array:
    """Eq. 21's sum of w_i/M at each place, for x_target ~ U(0, upper), M = 10^5, xi = 0.01."""
    x = torch.from_numpy(rng.uniform(0, upper, size=(1, 100_000, 1)))
    at = torch.from_numpy(places.reshape(1, -1, 1))
    return filter_targets(at, x, torch.ones_like(x), torch.arange(100_000)[None], 0.01).numpy().ravel()


def weight_row(rng: np.random.Generator) -> Row:
    """Eq. 22's weights at the ends of the support of x."""
    ends = _total_weight(np.array([0.0, 1.0]), 1.0, rng)
    return _row(
        "Eq. 22", "weights that average to 1", "at the ends of the support half of the filter's mass lies outside",
        "sum of w_i/M at x = 0 and 1 (mean of the two), x ~ U(0, 1), xi = 0.01",
        1.0, _exactly(float(ends.mean())), bool(np.all(np.abs(ends - 0.5) < 0.05)),
    )  # fmt: skip


def density_row(rng: np.random.Generator) -> Row:
    """Eq. 22's weights where x_target is not spread over a unit length."""
    middle = _total_weight(np.array([1.0]), 2.0, rng)[0]
    return _row(
        "Eq. 22", "weights that average to 1", "they average to the density of x: right for U(0, 1) only",
        "sum of w_i/M in the middle of x ~ U(0, 2), xi = 0.01",
        1.0, _exactly(float(middle)), abs(middle - 0.5) < 0.05,
    )  # fmt: skip


def mean_of_batch_row() -> Row:
    """Eq. 37: N equal gradients of norm nu; the data's sum against the batch's mean."""
    n, batch, nu = 20, 10, 1.0
    difference = n * nu - nu  # ||sum of N - mean of M||
    return _row(
        "G.1, Eq. 36-37", "||g - g~|| <= (N - M) nu with g a sum and g~ a mean over the batch",
        "(N - 1) nu; g~ is not unbiased either, as Eq. 26 needs, but 1/N of g on average",
        "||g - g~|| for N = 20 equal gradients of norm 1, M = 10",
        (n - batch) * nu, _exactly(difference), difference > (n - batch) * nu,
    )  # fmt: skip


def huber_gradients(ball: float, nu: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Two convex functions on the line whose gradients are bounded by nu in the ball and sum to nu u/ball there."""
    return lambda u: nu * min(1.0, 1 + u / ball), lambda u: -nu * min(1.0, 1 - u / ball)


def leaves_ball_row() -> Row:
    """G.1 with the unbiased g~ = (N/M) sum: its condition holds, and one iteration leaves the ball."""
    ball, nu, alpha = 1.0, 1.0, 0.8
    first, second = huber_gradients(ball, nu)
    grid = np.linspace(-ball, ball, 2001)
    rate = max(abs(u - alpha * (first(u) + second(u))) / abs(u) for u in grid if u != 0)
    condition = alpha * (2 - 1) * nu <= (1 - rate) * ball * (1 + 1e-9)
    reached = abs(0.0 - alpha * 2 * second(0.0))
    return _row(
        "G.1", "alpha (N - M) nu <= (1 - k_d) B keeps every iterate in the ball",
        "for an unbiased g~ ||g - g~|| <= 2 (N - M) nu, so the condition needs the factor 2",
        f"||theta_1 - theta*|| from theta*, two Huber losses, N = 2, M = 1, B = 1, k_d = {rate:.2g}; condition met",
        ball, _exactly(reached), condition and reached > ball,
    )  # fmt: skip


def rows(repetitions: int, seed: int) -> list[Row]:
    """Every demonstration."""
    rng = generator(seed, Purpose.THEORY, 9)
    return [
        radius_row(repetitions, rng),
        units_row(),
        equality_row(repetitions, rng),
        more_iterations_row(),
        step_size_row(rng),
        variance_row(rng),
        direction_row(rng),
        objective_row(rng),
        weight_row(rng),
        density_row(rng),
        mean_of_batch_row(),
        leaves_ball_row(),
    ]
