import numpy as np
import pytest

from homotopy.theory import problems
from homotopy.theory.sgd import iterates, mean_with_interval, square_norm

PROBLEMS = problems.strongly_convex(np.random.default_rng(5))
NAMES = [problem.name for problem in PROBLEMS]
LAM = 0.3


def full_gradient(problem, theta, lam):
    """The exact gradient at theta (R, d), from the problems' definitions."""
    if isinstance(problem, problems.Quadratic):
        a = (1 - lam) * problem.a0 + lam * problem.a1
        return theta @ a - ((1 - lam) * problem.b0 + lam * problem.b1)
    z = theta @ problem.features.T
    mean = z if problem.link is problems.IDENTITY else 1 / (1 + np.exp(-z))
    y = (1 - lam) * problem.y_source + lam * problem.y_target
    return (mean - y) @ problem.features / len(y) + problem.ridge * theta


def near(problem, radius, count, rng):
    offsets = rng.standard_normal((count, len(problem.optimum(0.0))))
    return problem.optimum(LAM) + radius * offsets


@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_the_gradient_vanishes_at_the_optimum(problem):
    for lam in (0.0, LAM, 1.0):
        assert np.abs(full_gradient(problem, problem.optimum(lam)[None], lam)).max() < 1e-10


@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_the_implicit_function_theorems_velocity_is_the_derivative_of_the_optimum(problem):
    h = 1e-5
    slope = (problem.optimum(LAM + h) - problem.optimum(LAM - h)) / (2 * h)
    assert problem.velocity(LAM) == pytest.approx(slope, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_the_stochastic_gradient_is_unbiased(problem):
    rng = np.random.default_rng(1)
    theta = np.tile(near(problem, 0.5, 1, rng), (20_000, 1))
    drawn = problem.gradient(LAM)(theta, rng)
    error = drawn.mean(axis=0) - full_gradient(problem, theta[:1], LAM)[0]
    assert np.all(np.abs(error) < 5 * drawn.std(axis=0) / np.sqrt(len(theta)) + 1e-12)


@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_mu_is_a_constant_of_strong_convexity_and_no_looser_than_needed_for_quadratics(problem):
    rng = np.random.default_rng(2)
    first, second = near(problem, 2.0, 500, rng), near(problem, 2.0, 500, rng)
    for lam in (0.0, LAM, 1.0):
        slope = full_gradient(problem, first, lam) - full_gradient(problem, second, lam)
        ratio = np.einsum("ij,ij->i", slope, first - second) / square_norm(first - second)
        assert ratio.min() >= problem.mu * (1 - 1e-9)
    if isinstance(problem, problems.Quadratic):
        ends = [np.linalg.eigvalsh(problem.curvature(lam))[0] for lam in np.linspace(0, 1, 21)]
        assert min(ends) == pytest.approx(problem.mu)


@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_the_second_moment_is_bounded_by_the_error(problem):
    rng = np.random.default_rng(3)
    for radius in (0.01, 0.3, 3.0):
        theta = near(problem, radius, 4000, rng)
        error = square_norm(theta - problem.optimum(LAM)).mean()
        assert square_norm(problem.gradient(LAM)(theta, rng)).mean() <= problem.second_moment(error) * 1.05


@pytest.mark.parametrize("share", [0.1, 1.0])
@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_the_error_never_exceeds_its_bound_whether_it_starts_at_the_optimum_or_far_from_it(problem, share):
    rng, alpha = np.random.default_rng(4), share * problem.largest_step_size
    for offset in (0.0, 2.0):
        theta = np.tile(problem.optimum(LAM), (1000, 1))
        theta[:, 0] += offset
        bound = problem.largest_error(offset**2, alpha)
        walk = iterates(theta, problem.gradient(LAM), alpha, rng)
        errors = [mean_with_interval(square_norm(next(walk)[0] - problem.optimum(LAM))).low for _ in range(60)]
        assert max(errors) <= bound * (1 + 1e-9)


def test_the_exact_error_of_a_quadratic_agrees_with_simulation():
    problem = problems.ill_conditioned(np.random.default_rng(6))
    start, alpha, k = problem.optimum(0.0), 0.15, 12
    errors, gradients = problem.exact(start, 1.0, alpha, k)
    walk = iterates(np.tile(start, (20_000, 1)), problem.gradient(1.0), alpha, np.random.default_rng(7))
    for i in range(k):
        theta, g = next(walk)
        assert square_norm(theta - problem.optimum(1.0)).mean() == pytest.approx(errors[i], rel=0.02)
        assert square_norm(g).mean() == pytest.approx(gradients[i], rel=0.02)


def test_delta_is_the_length_of_a_straight_path():
    assert problems.delta(problems.isotropic(travel=7.0)) == pytest.approx(7.0)


def test_every_feature_has_norm_one_as_the_smoothness_assumes():
    for problem in PROBLEMS:
        if isinstance(problem, problems.LinearModel):
            assert square_norm(problem.features) == pytest.approx(np.ones(len(problem.features)))
