"""Prop. 3.6: how fast the optimum moves, by differences of optima, against the implicit function theorem."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homotopy.theory.problems import Problem, delta
from homotopy.theory.sgd import Rows, compared, exactly


def measured(problem: Problem, intervals: int = 100) -> float:
    """Largest ||theta*(lam) - theta*(lam')||/|lam - lam'| on a grid; neighbours suffice (triangle inequality)."""
    optima = np.array([problem.optimum(lam) for lam in np.linspace(0, 1, intervals + 1)])
    return float(np.linalg.norm(np.diff(optima, axis=0), axis=1).max() * intervals)


def rows(problems: Sequence[Problem]) -> Rows:
    """One row per problem: the implicit-function value as the bound, the measured constant; deterministic."""
    for problem in problems:
        yield {"problem": problem.name, "mu": problem.mu} | compared(delta(problem), exactly(measured(problem)))
