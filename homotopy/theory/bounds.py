"""The paper's bounds as formulas (Sections 3, E, F, G); nothing is measured here.

The text, here and in the whole folder, is the submission's ("Under review as a conference paper at ICLR 2020"). Its
figures were not seen, and what the published version changed is not known to us.

mu is the constant of strong convexity, `c2` the C^2 of E||g||^2 <= C^2 (Assumption 3.2), delta the Lipschitz constant
of the optimum's path (Prop. 3.6), alpha < 1/(2 mu) the step size, k the SGD iterations of a step, r the ball's radius.
"""

from __future__ import annotations

import math


def contraction(alpha: float, mu: float, k: int) -> float:
    """(1 - 2 alpha mu)^k, the share of the squared starting error that k iterations leave."""
    return (1 - 2 * alpha * mu) ** k


def noise_floor(alpha: float, mu: float, c2: float) -> float:
    """alpha C^2/(2 mu), the squared error that remains however large k is."""
    return alpha * c2 / (2 * mu)


def iterate_error(start: float, alpha: float, mu: float, c2: float, k: int) -> float:
    """Prop. 3.7, Eq. 8: bound on E||theta_{i+1} - theta*_{i+1}||^2, from start = E||theta_i - theta*_{i+1}||^2."""
    return contraction(alpha, mu, k) * start + noise_floor(alpha, mu, c2)


def iterate_error_as_printed(start: float, alpha: float, mu: float, c2: float, k: int) -> float:
    """Eq. 27's right side as it is printed: alpha^2 C^2/(2 mu) where Eq. 8 has alpha C^2/(2 mu). No bound."""
    return contraction(alpha, mu, k) * start + alpha * noise_floor(alpha, mu, c2)


def whole_sum(start: float, alpha: float, mu: float, c2: float, k: int) -> float:
    """Eq. 8 with the geometric sum of Eq. 26 kept whole: the paper drops its factor 1 - (1 - 2 alpha mu)^k."""
    q = contraction(alpha, mu, k)
    return q * start + (1 - q) * noise_floor(alpha, mu, c2)


def smallest_square_radius(alpha: float, mu: float, c2: float, k: int) -> float:
    """The r^2 above which Eq. 31 has a positive solution: alpha C^2/(2 mu (1 - (1 - 2 alpha mu)^k)), Section F."""
    return noise_floor(alpha, mu, c2) / (1 - contraction(alpha, mu, k))


def square_radius_for_every_alpha(alpha: float, mu: float, c2: float, k: int) -> float:
    """C^2/(4 mu^2 (...)), Section F's last line: `smallest_square_radius` with alpha replaced by its limit 1/(2 mu)."""
    return c2 / (4 * mu**2 * (1 - contraction(alpha, mu, k)))


def square_radius_as_printed(alpha: float, mu: float, c2: float, k: int) -> float:
    """C^2/(4 mu (...)), as Eq. 9 and 28 are printed: mu where the proof has mu^2."""
    return c2 / (4 * mu * (1 - contraction(alpha, mu, k)))


def admissible_step(r: float, delta: float, alpha: float, mu: float, c2: float, k: int) -> float:
    """Theorem 3.9, Eq. 10: how far lam may move. Where it is not positive the theorem allows no step at all.

    Where Eq. 10 has no real value, as its radicand is negative, -r/delta is returned.
    """
    room = max(0.0, r**2 - noise_floor(alpha, mu, c2))
    return (math.sqrt(room / contraction(alpha, mu, k)) - r) / delta


def distance_before_step(radius: float, delta: float, step: float) -> float:
    """Prop. G.1: an iterate this near to the optimum is still within `radius` of the next one, `step` of lam away."""
    return radius - delta * step


def batch_noise_as_printed(components: int, batch: int, nu: float) -> float:
    """Eq. 37: (N - M) nu, the bound on ||g - g~|| for a batch of M of the N components, each gradient at most nu."""
    return (components - batch) * nu


def batch_noise_of_means(components: int, batch: int, nu: float) -> float:
    """2 (1 - M/N) nu: the smallest bound on ||g - g~|| where g and g~ are the means over the data and the batch.

    g - g~ is 1/N of the N - M gradients left out, less 1/M - 1/N of the M drawn. For N >= 2 it is within Eq. 37's.
    """
    return 2 * (1 - batch / components) * nu


def smallest_batch(components: int, nu: float, slack: float, alpha: float, factor: float = 1.0) -> float:
    """Section G.1: the M from which alpha factor (N - M) nu <= slack = (1 - k_d) B; factor 1 is the paper's."""
    return components - slack / (alpha * factor * nu)
