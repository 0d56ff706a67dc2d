"""Stochastic problems H(theta, lam) whose optimum moves with lam and whose constants mu and delta are known.

How Assumption 3.2 is met. No strongly convex H has bounded gradients on all of R^d, so C is not a constant of H:
it holds along the iterates. Each problem knows a bound of E||g||^2 in terms of E||theta - theta*||^2
(`second_moment`) and one of that error over all k from its start (`largest_error`), hence a C known before the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from homotopy.theory.sgd import Array, square_norm

_GRID = np.linspace(0, 1, 401)  # of lam, for a maximum over [0, 1]


class Problem(Protocol):
    """A strongly convex H(., lam) for lam in [0, 1], and its unbiased gradient estimate."""

    @property
    def name(self) -> str:
        """What it is, in words."""

    @property
    def mu(self) -> float:
        """Strong convexity (Assumption 3.4), for every lam."""

    @property
    def largest_step_size(self) -> float:
        """The alpha up to which `largest_error` is a bound; it is at most Prop. 3.7's 1/(2 mu)."""

    def optimum(self, lam: float) -> Array:
        """theta*(lam), (d,)."""

    def velocity(self, lam: float) -> Array:
        """d theta*/d lam by the implicit function theorem, (d,)."""

    def gradient(self, lam: float) -> Callable[[Array, np.random.Generator], Array]:
        """Return the stochastic gradient of H(., lam), (R, d) -> (R, d)."""

    def second_moment(self, error: float) -> float:
        """Bound E||g||^2 given E||theta - theta*||^2 <= error, for every lam."""

    def largest_error(self, error: float, alpha: float) -> float:
        """Bound E||theta_k - theta*||^2 over all k at fixed lam, given that it is at most `error` for k = 0."""


def delta(problem: Problem) -> float:
    """Lipschitz constant of theta* (Prop. 3.6): the largest speed ||H_tt^{-1} H_tl|| on a grid of 401 lam."""
    return float(max(np.linalg.norm(problem.velocity(lam)) for lam in _GRID))


@dataclass(frozen=True, eq=False)
class Quadratic:
    """H = theta' A theta/2 - b' theta, A and b moving linearly from lam = 0 to 1; noise uniform on a sphere.

    a0, a1 (d, d) symmetric positive definite, b0, b1 (d,); the noise added to the gradient has norm `noise` always.
    """

    name: str
    a0: Array
    a1: Array
    b0: Array
    b1: Array
    noise: float

    def curvature(self, lam: float) -> Array:
        """A(lam), (d, d)."""
        return (1 - lam) * self.a0 + lam * self.a1

    @cached_property
    def mu(self) -> float:
        """Smallest eigenvalue of A; it is concave in lam, so smallest at an end."""
        return float(min(np.linalg.eigvalsh(a)[0] for a in (self.a0, self.a1)))

    @cached_property
    def smoothness(self) -> float:
        """L, the largest eigenvalue of A; it is convex in lam, so largest at an end."""
        return float(max(np.linalg.eigvalsh(a)[-1] for a in (self.a0, self.a1)))

    @property
    def largest_step_size(self) -> float:
        """The smaller of 1/(2 mu) and 1/L."""
        return min(1 / (2 * self.mu), 1 / self.smoothness)

    def optimum(self, lam: float) -> Array:
        """theta*(lam), (d,)."""
        return np.linalg.solve(self.curvature(lam), (1 - lam) * self.b0 + lam * self.b1)

    def velocity(self, lam: float) -> Array:
        """d theta*/d lam by the implicit function theorem, (d,)."""
        return np.linalg.solve(self.curvature(lam), self.b1 - self.b0 - (self.a1 - self.a0) @ self.optimum(lam))

    def gradient(self, lam: float) -> Callable[[Array, np.random.Generator], Array]:
        """Return A theta - b + noise, (R, d) -> (R, d)."""
        a, b = self.curvature(lam), (1 - lam) * self.b0 + lam * self.b1

        def g(theta: Array, rng: np.random.Generator) -> Array:
            direction = rng.standard_normal(theta.shape)
            direction *= self.noise / np.sqrt(square_norm(direction))[:, None]
            return theta @ a - b + direction

        return g

    def second_moment(self, error: float) -> float:
        """L^2 error + noise^2, since the noise is independent of theta."""
        return self.smoothness**2 * error + self.noise**2

    def largest_error(self, error: float, alpha: float) -> float:
        """The larger of `error` and alpha noise^2/(mu (2 - alpha mu)), for alpha <= 1/L.

        The second bounds the stationary error, and is equal to it if A = mu I.
        """
        return max(error, alpha * self.noise**2 / (self.mu * (2 - alpha * self.mu)))

    def exact(self, start: Array, lam: float, alpha: float, k: int) -> tuple[Array, Array]:
        """E||theta_j - theta*||^2, (k + 1,), and E||g_j||^2, (k,), of SGD from `start` (d,), for any alpha."""
        eigenvalues, vectors = np.linalg.eigh(self.curvature(lam))
        square = ((start - self.optimum(lam)) @ vectors) ** 2
        errors, gradients = [square.sum()], []
        for _ in range(k):
            gradients.append(eigenvalues**2 @ square + self.noise**2)
            square = (1 - alpha * eigenvalues) ** 2 * square + (alpha * self.noise) ** 2 / len(square)
            errors.append(square.sum())
        return np.array(errors), np.array(gradients)


@dataclass(frozen=True)
class Link:
    """How a generalised linear model's prediction follows from z = x' theta."""

    mean: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    steepest: float


def _sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


IDENTITY = Link(lambda z: z, lambda z: np.ones_like(z), 1.0)
LOGISTIC = Link(_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z)), 0.25)


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Regularised least squares (Eq. 14, 16) or logistic regression (Eq. 18) on data whose targets are deformed.

    features (N, d) with rows of norm 1, y_source and y_target (N,); the targets at lam are their mixture. `batch`
    samples, drawn with replacement, give the gradient estimate.
    """

    name: str
    features: Array
    y_source: Array
    y_target: Array
    ridge: float
    batch: int
    link: Link

    @cached_property
    def mu(self) -> float:
        """The ridge, plus for least squares the smallest eigenvalue of X'X/N."""
        if self.link is LOGISTIC:
            return self.ridge
        return self.ridge + float(np.linalg.eigvalsh(self.features.T @ self.features / len(self.features))[0])

    @property
    def smoothness(self) -> float:
        """Smoothness of each sample's loss."""
        return self.link.steepest + self.ridge

    @property
    def largest_step_size(self) -> float:
        """The smaller of 1/(2 mu) and half of 1/smoothness."""
        return min(1 / (2 * self.mu), 1 / (2 * self.smoothness))

    def targets(self, lam: float) -> Array:
        """y_lam = (1 - lam) y_source + lam y_target, (N,)."""
        return (1 - lam) * self.y_source + lam * self.y_target

    def _hessian(self, theta: Array) -> Array:
        slopes = self.link.slope(self.features @ theta)
        return self.features.T * slopes @ self.features / len(slopes) + self.ridge * np.eye(len(theta))

    def _full_gradient(self, theta: Array, lam: float) -> Array:
        residual = self.link.mean(self.features @ theta) - self.targets(lam)
        return residual @ self.features / len(residual) + self.ridge * theta

    def optimum(self, lam: float) -> Array:
        """theta*(lam), (d,), by Newton's method."""
        theta = np.zeros(self.features.shape[1])
        for _ in range(50):
            step = np.linalg.solve(self._hessian(theta), self._full_gradient(theta, lam))
            theta = theta - step
            if np.abs(step).max() < 1e-14:
                break
        return theta

    def velocity(self, lam: float) -> Array:
        """d theta*/d lam by the implicit function theorem, (d,)."""
        change = (self.y_target - self.y_source) @ self.features / len(self.y_source)
        return np.linalg.solve(self._hessian(self.optimum(lam)), change)

    def gradient(self, lam: float) -> Callable[[Array, np.random.Generator], Array]:
        """Return the mini-batch gradient, (R, d) -> (R, d)."""
        y = self.targets(lam)

        def g(theta: Array, rng: np.random.Generator) -> Array:
            drawn = rng.integers(len(y), size=(len(theta), self.batch))
            x = self.features[drawn]
            residual = self.link.mean(np.einsum("rmd,rd->rm", x, theta)) - y[drawn]
            return np.einsum("rm,rmd->rd", residual, x) / self.batch + self.ridge * theta

        return g

    @cached_property
    def noise(self) -> float:
        """sqrt(E||g(theta*)||^2), the largest over the grid of lam."""
        found = []
        for lam in _GRID[::4]:
            theta = self.optimum(lam)
            residual = self.link.mean(self.features @ theta) - self.targets(lam)
            found.append(square_norm(residual[:, None] * self.features + self.ridge * theta).mean() / self.batch)
        return float(np.sqrt(max(found)))

    def second_moment(self, error: float) -> float:
        """(noise + smoothness sqrt(error))^2, by Minkowski's inequality."""
        return (self.noise + self.smoothness * np.sqrt(error)) ** 2

    def largest_error(self, error: float, alpha: float) -> float:
        """The larger of `error` and alpha noise^2/(mu (1 - alpha smoothness)); co-coercivity of each sample's loss."""
        return max(error, alpha * self.noise**2 / (self.mu * (1 - alpha * self.smoothness)))


def _rotated(eigenvalues: Array, rng: np.random.Generator) -> Array:
    vectors = np.linalg.qr(rng.standard_normal((len(eigenvalues), len(eigenvalues))))[0]
    return vectors * eigenvalues @ vectors.T


def isotropic(mu: float = 1.0, travel: float = 20.0) -> Quadratic:
    """A = mu I in two dimensions; the optimum moves by `travel` on a straight line."""
    a = mu * np.eye(2)
    return Quadratic(f"quadratic, round, mu {mu:g}", a, a, np.zeros(2), mu * travel * np.eye(2)[0], 1.0)


def ill_conditioned(rng: np.random.Generator) -> Quadratic:
    """Ten dimensions, eigenvalues from 0.5 to 5, a straight path of length 3."""
    a = _rotated(np.geomspace(0.5, 5, 10), rng)
    direction = rng.standard_normal(10)
    return Quadratic("quadratic, condition 10", a, a, np.zeros(10), a @ direction * 3 / np.linalg.norm(direction), 1.0)


def turning() -> Quadratic:
    """Two dimensions, A turns as lam grows, so that the optimum moves on a curve with varying speed."""
    a0, a1 = np.array([[1.1, -0.3], [-0.3, 0.9]]), np.array([[0.9, 0.3], [0.3, 1.1]])
    return Quadratic("quadratic, turning", a0, a1, a0 @ np.array([-4.0, 0.0]), a1 @ np.array([4.0, 1.0]), 1.0)


def sine_regression(rng: np.random.Generator) -> LinearModel:
    """Least squares of 200 of the sine study's data (Eq. 19, omega 1 to 10) on eight trigonometric features."""
    x = rng.uniform(size=200)
    angle = x[:, None] * np.linspace(1, 10, 4)
    features = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) / 2  # of norm 1
    y = [np.sin(w * x) + 0.01 * rng.standard_normal(200) for w in (1.0, 10.0)]
    return LinearModel("least squares, sine", features, y[0], y[1], 0.2, 4, IDENTITY)


def soft_labels(rng: np.random.Generator) -> LinearModel:
    """Logistic regression in five dimensions between two labellings of the same 200 points on the unit sphere."""
    x = rng.standard_normal((200, 5))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    y = [(x @ rng.standard_normal(5) > 0).astype(float) for _ in range(2)]
    return LinearModel("logistic, soft labels", x, y[0], y[1], 0.1, 4, LOGISTIC)


def strongly_convex(rng: np.random.Generator) -> list[Problem]:
    """Every problem on which Prop. 3.6, 3.7 and Theorem 3.9 are checked."""
    return [
        isotropic(),
        isotropic(mu=0.1),
        ill_conditioned(rng),
        turning(),
        sine_regression(rng),
        soft_labels(rng),
    ]
