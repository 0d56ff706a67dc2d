"""Predictors: what moves theta before a step of Algorithm 1. The paper's is constant."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble

SHARES = (0.0, 0.125, 0.25, 0.5, 1.0)


class Predictor(Protocol):
    """Moves theta, a solution at `lam`, towards one at `next_lam`."""

    def predict(self, ensemble: Ensemble, problem: Any, lam: float, next_lam: float) -> None:
        """Set the ensemble's theta to where the next step, `problem`, starts."""

    def state(self) -> dict[str, Tensor]:
        """What it remembers of the path, as tensors."""

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned."""


class Constant:
    """A step starts where the one before ended: Algorithm 1 only warm-starts theta."""

    def predict(self, ensemble: Ensemble, problem: Any, lam: float, next_lam: float) -> None:
        """Leave theta as it is."""

    def state(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Nothing to load."""


class Secant:
    """A step starts on the line through the seed's last two solutions, at the best of some points on it.

    They lie at `SHARES` of the way to `next_lam`, and the best has the lowest loss. A seed that always went all the
    way, whatever its loss there, would come to where its network's units are dead.
    """

    def __init__(self) -> None:
        self._before: dict[str, Tensor] = {}

    def predict(self, ensemble: Ensemble, problem: Any, lam: float, next_lam: float) -> None:
        """Extrapolate each seed as far as its loss falls, and remember its solution at `lam`."""
        theta = ensemble.theta
        if self._before:
            slope = (theta - self._before["theta"].to(theta)) / (lam - float(self._before["lam"]))
            self._place(ensemble, problem, [theta + share * (next_lam - lam) * slope for share in SHARES])
        self._before = {"lam": torch.tensor(lam, dtype=torch.float64), "theta": theta}

    @staticmethod
    def _place(ensemble: Ensemble, problem: Any, points: list[Tensor]) -> None:
        """Set each seed's theta to the point (S, P) of least loss."""
        moments, losses = ensemble.state(), []
        for theta in points:
            ensemble.load({**moments, "theta": theta})
            losses.append(ensemble.evaluate(problem.x, problem.y).nan_to_num(torch.inf))
        best = torch.stack(losses).argmin(dim=0)
        ensemble.load({**moments, "theta": torch.stack(points)[best, torch.arange(len(best), device=best.device)]})

    def state(self) -> dict[str, Tensor]:
        """The last solution and its lam."""
        return dict(self._before)

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned."""
        self._before = dict(state)


PREDICTORS: dict[str, type[Constant | Secant]] = {"constant": Constant, "secant": Secant}
