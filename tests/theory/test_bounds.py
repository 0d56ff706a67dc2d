import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from homotopy.theory import bounds

MU = st.floats(0.01, 10)
SHARE = st.floats(0.01, 0.95)  # of the largest alpha, 1/(2 mu)
C2 = st.floats(1e-3, 1e3)
K = st.integers(1, 50)
START = st.floats(0, 1e3)
R = st.floats(0.01, 100)
DELTA = st.floats(0.01, 100)


@given(START, MU, SHARE, C2, K)
def test_the_iterate_bound_falls_with_k_and_grows_with_c(start, mu, share, c2, k):
    alpha = share / (2 * mu)
    here = bounds.iterate_error(start, alpha, mu, c2, k)
    assert bounds.iterate_error(start, alpha, mu, c2, k + 1) <= here
    assert bounds.iterate_error(start, alpha, mu, 2 * c2, k) > here
    assert bounds.whole_sum(start, alpha, mu, c2, k) <= here


@given(START, MU, SHARE, C2, K)
def test_the_whole_sum_is_eq_26_applied_k_times(start, mu, share, c2, k):
    alpha = share / (2 * mu)
    error = start
    for _ in range(k):
        error = (1 - 2 * alpha * mu) * error + alpha**2 * c2
    assert bounds.whole_sum(start, alpha, mu, c2, k) == pytest.approx(error, rel=1e-9)
    rest = (1 - 2 * alpha * mu) ** k * alpha * c2 / (2 * mu)  # what Eq. 8 leaves out
    assert bounds.iterate_error(start, alpha, mu, c2, k) == pytest.approx(error + rest, rel=1e-9)


@given(MU, SHARE, C2, K)
def test_a_ball_of_the_smallest_radius_is_mapped_onto_itself(mu, share, c2, k):
    """By Eq. 8 with lam standing still; the larger radius of Section F is that one's with alpha at its limit."""
    alpha = share / (2 * mu)
    square = bounds.smallest_square_radius(alpha, mu, c2, k)
    assert bounds.iterate_error(square, alpha, mu, c2, k) == pytest.approx(square)
    assert share * bounds.square_radius_for_every_alpha(alpha, mu, c2, k) == pytest.approx(square)


@given(MU, SHARE, C2, K)
def test_every_radius_falls_with_k_and_grows_with_c(mu, share, c2, k):
    alpha = share / (2 * mu)
    for radius in (
        bounds.smallest_square_radius,
        bounds.square_radius_for_every_alpha,
        bounds.square_radius_as_printed,
    ):
        here = radius(alpha, mu, c2, k)
        assert radius(alpha, mu, c2, k + 1) <= here
        assert radius(alpha, mu, 2 * c2, k) > here


@given(R, DELTA, MU, SHARE, C2, K)
def test_the_admissible_step_grows_with_k_and_falls_with_c_and_delta(r, delta, mu, share, c2, k):
    alpha = share / (2 * mu)
    here = bounds.admissible_step(r, delta, alpha, mu, c2, k)
    assert bounds.admissible_step(r, delta, alpha, mu, c2, k + 1) >= here
    assert bounds.admissible_step(r, delta, alpha, mu, 2 * c2, k) <= here
    if here > 0:
        assert bounds.admissible_step(r, 2 * delta, alpha, mu, c2, k) == pytest.approx(here / 2)


@given(DELTA, MU, SHARE, C2, K, st.floats(0.5, 2))
def test_a_step_is_admissible_just_above_the_smallest_radius_of_the_proof(delta, mu, share, c2, k, factor):
    assume(abs(factor - 1) > 1e-3)
    alpha = share / (2 * mu)
    r = math.sqrt(factor * bounds.smallest_square_radius(alpha, mu, c2, k))
    assert (bounds.admissible_step(r, delta, alpha, mu, c2, k) > 0) == (factor > 1)


@given(DELTA, MU, SHARE, C2, st.integers(1, 10), st.floats(1.01, 10))
def test_eq_31_is_an_equality_at_the_admissible_step(delta, mu, share, c2, k, factor):
    alpha = share / (2 * mu)
    r = math.sqrt(factor * bounds.smallest_square_radius(alpha, mu, c2, k))
    step = bounds.admissible_step(r, delta, alpha, mu, c2, k)
    assert bounds.iterate_error((r + delta * step) ** 2, alpha, mu, c2, k) == pytest.approx(r**2)


@given(MU, SHARE, C2, K, st.floats(0.1, 10))
def test_the_proofs_radius_is_a_length_and_the_printed_one_is_not(mu, share, c2, k, scale):
    assume(abs(scale - 1) > 0.01)
    alpha = share / (2 * mu)
    rescaled = (scale**2 * alpha, mu / scale**2, c2 / scale**2, k)  # theta' = scale theta
    for radius in (bounds.smallest_square_radius, bounds.square_radius_for_every_alpha):
        assert radius(*rescaled) == pytest.approx(scale**2 * radius(alpha, mu, c2, k))
    printed = bounds.square_radius_as_printed
    assert printed(*rescaled) == pytest.approx(printed(alpha, mu, c2, k))


@given(MU, SHARE, C2, K)
def test_the_printed_radius_is_too_small_exactly_where_alpha_exceeds_a_half(mu, share, c2, k):
    alpha = share / (2 * mu)
    assume(abs(alpha - 0.5) > 1e-6)
    needed = bounds.smallest_square_radius(alpha, mu, c2, k)
    assert (bounds.square_radius_as_printed(alpha, mu, c2, k) < needed) == (alpha > 0.5)
    assert bounds.square_radius_for_every_alpha(alpha, mu, c2, k) >= needed


@given(R, DELTA, st.floats(0, 1))
def test_prop_g1_leaves_room_for_the_optimums_move(radius, delta, share):
    step = share * radius / delta
    directions = np.random.default_rng(0).standard_normal((2, 50, 3))
    iterates, moves = directions / np.linalg.norm(directions, axis=2, keepdims=True)
    distance = bounds.distance_before_step(radius, delta, step) * iterates - delta * step * moves
    assert np.linalg.norm(distance, axis=1).max() <= radius * (1 + 1e-9)


def test_the_smallest_batch_meets_its_condition_and_a_smaller_one_does_not():
    for factor in (1.0, 2.0):
        smallest = math.ceil(bounds.smallest_batch(100, nu=2.0, slack=0.3, alpha=0.01, factor=factor))
        meets = [0.01 * factor * (100 - m) * 2.0 <= 0.3 for m in (smallest - 1, smallest)]
        assert meets == [False, True]
