import numpy as np
import pytest
from scipy.integrate import quad

from homotopy.theory import gaussian_filter


def test_the_expectation_is_the_integral_of_the_filter_times_the_target():
    x, width = np.array([0.0, 0.003, 0.5, 1.0]), 0.004
    value, weight = gaussian_filter.expectation(x, width)

    def density(u, place):
        return np.exp(-((place - u) ** 2) / (2 * width**2)) / (np.sqrt(2 * np.pi) * width)

    for i, place in enumerate(x):
        near = [max(0.0, place - 8 * width), min(1.0, place + 8 * width)]
        exact = quad(lambda u, p=place: density(u, p) * np.sin(gaussian_filter.OMEGA * u), *near, limit=200)[0]
        assert value[i] == pytest.approx(exact, abs=1e-4)
        assert weight[i] == pytest.approx(quad(density, *near, args=(place,))[0], abs=2e-3)


def test_far_from_the_ends_the_filter_shrinks_the_sine_and_at_the_ends_it_loses_half_its_mass():
    x = np.array([0.0, 0.4, 0.5, 1.0])
    value, weight = gaussian_filter.expectation(x, 0.003)
    assert value[1:3] == pytest.approx(
        gaussian_filter.attenuation(0.003) * np.sin(gaussian_filter.OMEGA * x[1:3]), abs=1e-6
    )
    assert weight == pytest.approx([0.5, 1, 1, 0.5], abs=1e-3)


def test_the_measured_error_splits_into_its_exact_bias_and_a_scatter_that_falls_with_m(monkeypatch):
    monkeypatch.setattr(gaussian_filter, "WIDTHS", (0.003,))
    monkeypatch.setattr(gaussian_filter, "SAMPLES", (250, 1000))
    few, many = gaussian_filter.error_rows(12, 0)
    for row in (few, many):
        assert row["low"] < row["rmse"] < row["high"]
        assert row["rmse"] ** 2 == pytest.approx(row["bias"] ** 2 + row["scatter"] ** 2, rel=0.1)
    assert few["bias"] == many["bias"]
    near = 8 / 400  # of the places, those within 3 xi of an end
    assert few["bias"] ** 2 == pytest.approx(near * few["ends"] ** 2 + (1 - near) * few["interior"] ** 2)
    assert few["interior"] == pytest.approx((1 - few["attenuation"]) / 2**0.5, rel=0.02)
    assert few["scatter"] / many["scatter"] == pytest.approx(2, rel=0.25)  # as 1/sqrt(M)


def test_the_bias_is_largest_at_the_ends():
    rows = gaussian_filter.end_rows((0.003,))
    bias = [abs(row["filtered"] - row["target"]) for row in rows]
    assert bias[0] == max(bias)
