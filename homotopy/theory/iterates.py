"""Prop. 3.7: the error after k iterations of SGD against Eq. 8, over alpha and k."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from homotopy.streams import Purpose, generator
from homotopy.theory import bounds
from homotopy.theory.problems import Problem, Quadratic
from homotopy.theory.sgd import Mean, Rows, exactly, iterates, mean_with_interval, square_norm, verdict

LAM = 1.0  # the problem that is solved; the start is theta*(0), as for a warm start
ALPHAS = (0.05, 0.3, 0.9)  # shares of the problem's largest step size
KS = (1, 4, 16, 64, 256)


def measure(
    problem: Problem, alpha: float, ks: Sequence[int], repetitions: int, rng: np.random.Generator
) -> tuple[dict[int, Mean], np.ndarray]:
    """Run SGD from theta*(0) at lam = 1 and return two measurements of the same `repetitions` independent runs.

    The first is E||theta_k - theta*||^2 for each k. The second, (max(ks),), has for each iteration j the upper end of
    the interval of E||g_j||^2.
    """
    theta = np.tile(problem.optimum(0.0), (repetitions, 1))
    target = problem.optimum(LAM)
    errors, gradients = {}, []
    for k, (iterate, g) in enumerate(islice(iterates(theta, problem.gradient(LAM), alpha, rng), max(ks) + 1)):
        if k in ks:
            errors[k] = mean_with_interval(square_norm(iterate - target))
        gradients.append(mean_with_interval(square_norm(g)).high)
    return errors, np.array(gradients[:-1])


def constants(problem: Problem, alpha: float, start: float, gradients: np.ndarray, k: int) -> dict[str, float]:
    """Return C^2 in two ways: as it is known before the run, and as the largest E||g_j||^2 along the run (j < k).

    The second is the smallest C^2 for which Assumption 3.2 holds. It is exact for a quadratic, and elsewhere the upper
    end of the measured interval.
    """
    known = problem.second_moment(problem.largest_error(start, alpha))
    if isinstance(problem, Quadratic):
        gradients = problem.exact(problem.optimum(0.0), LAM, alpha, k)[1]
    return {"before the run": known, "along the run": float(gradients[:k].max())}


def rows(problems: Sequence[Problem], repetitions: int, seed: int) -> Rows:
    """Rows problem x alpha x k x kind of C: the bound, the measured error with its interval, and whether it holds."""
    for p, problem in enumerate(problems):
        start = float(square_norm(problem.optimum(0.0) - problem.optimum(LAM)))
        for a, share in enumerate(ALPHAS):
            alpha = share * problem.largest_step_size
            errors, gradients = measure(problem, alpha, KS, repetitions, generator(seed, Purpose.THEORY, 1, p, a))
            for k, error in errors.items():
                for kind, c2 in constants(problem, alpha, start, gradients, k).items():
                    yield _row(problem, alpha, k, kind, c2, start, error)


def _row(problem: Problem, alpha: float, k: int, kind: str, c2: float, start: float, error: Mean) -> dict[str, Any]:
    bound = bounds.iterate_error(start, alpha, problem.mu, c2, k)
    exact, judged = float("nan"), error
    if isinstance(problem, Quadratic):
        exact = problem.exact(problem.optimum(0.0), LAM, alpha, k)[0][-1]
        judged = exactly(exact)
    return {
        "problem": problem.name, "mu": problem.mu, "alpha": alpha, "k": k, "C_is": kind, "C": np.sqrt(c2),
        "start": start, "bound": bound, "measured": error.value, "low": error.low, "high": error.high,
        "exact": exact, "ratio": error.value / bound, "holds": verdict(bound, judged),
    }  # fmt: skip
