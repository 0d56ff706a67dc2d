import numpy as np
import pytest

from homotopy.theory import sgd


def test_the_interval_covers_a_known_mean_in_99_of_100_samples():
    rng = np.random.default_rng(0)
    intervals = [sgd.mean_with_interval(rng.standard_normal(200) + 3.0) for _ in range(2000)]
    covered = np.mean([low <= 3.0 <= high for _, low, high in intervals])
    assert 0.98 < covered < 0.996


def test_iterates_and_run_follow_the_same_path():
    def gradient(theta, rng):
        return theta + rng.standard_normal(theta.shape)

    theta = np.ones((4, 2))
    walk = sgd.iterates(theta, gradient, 0.1, np.random.default_rng(1))
    path = [next(walk) for _ in range(6)]
    assert np.array_equal(path[0][0], theta)
    assert np.array_equal(path[1][0], theta - 0.1 * path[0][1])
    assert np.array_equal(path[5][0], sgd.run(theta, gradient, 0.1, 5, np.random.default_rng(1)))


@pytest.mark.parametrize(
    "low, high, expected", [(0.5, 0.9, "yes"), (0.5, 1.0, "yes"), (0.9, 1.1, "undecided"), (1.1, 1.2, "no")]
)
def test_a_bound_holds_only_if_the_whole_interval_keeps_to_it(low, high, expected):
    assert sgd.verdict(1.0, sgd.Mean((low + high) / 2, low, high)) == expected
