"""The table of errata, remarks and what is right as printed: each row's mathematics, and that its words fit."""

import math
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homotopy.theory import bounds, errata, near_optimum, problems, remarks, statements, summary

ROWS = pd.DataFrame(statements.rows(2000, 0)).set_index("row")


def test_every_row_has_words_and_numbers_and_came_out():
    words = yaml.safe_load(statements._WORDS.read_text())
    assert set(words) == set(statements.demonstrations(20, 0)) == set(ROWS.index)
    assert set(ROWS["shown"]) == {"yes"}
    assert set(ROWS["kind"]) == set(statements.KINDS)
    assert not ROWS["comment"].str.contains(r"%\(").any()


def test_what_is_no_error_is_a_remark():
    kinds = ROWS["kind"]
    false = {"reference", "radius", "units", "direction", "density", "iterate_error", "sum_and_mean"}
    assert set(kinds[kinds == "erratum"].index) == false
    for name in ("step_size", "more_iterations", "variance", "objective", "weight", "gap"):
        assert kinds[name] == "remark"
    assert kinds["mended"] == kinds["proposition"] == "right as printed"


@given(st.floats(0.1, 10), st.floats(0.01, 0.99), st.integers(1, 40))
def test_eq_27_as_printed_is_below_the_exact_error_wherever_the_factor_and_alpha_sum_to_less_than_one(mu, share, k):
    problem, alpha = problems.isotropic(mu=mu, travel=0.0), share / (2 * mu)
    start, c2 = errata.stationary(problem, alpha)
    exact = problem.exact(np.array([math.sqrt(start), 0.0]), 0.0, alpha, k)[0][-1]
    printed = bounds.iterate_error_as_printed(start, alpha, mu, c2, k)
    factor = bounds.contraction(alpha, mu, k) + alpha
    assert exact == pytest.approx(start)
    assert printed == pytest.approx(factor * exact)
    assert (printed < exact * (1 - 1e-9)) == (factor < 1 - 1e-9)
    assert exact <= bounds.iterate_error(start, alpha, mu, c2, k) * (1 + 1e-9)  # Eq. 8


def test_the_row_of_eq_27_shows_the_printed_formula_and_not_that_of_eq_8():
    row = ROWS.loc["iterate_error"]
    start = 0.1 / 1.9  # alpha/(mu (2 - alpha mu)), noise 1
    assert row["by_text"] == pytest.approx(0.8**5 * start + 0.1**2 * (1 + start) / 2)
    assert row["by_text"] < row["low"] <= start <= row["high"]
    assert f"{0.8**4 * start + 0.1**2 * (1 + start) / 2:.3g}" in row["comment"]  # counted for theta_{k+1}
    assert ROWS.loc["proposition", "by_text"] == pytest.approx(0.8**5 * start + 0.1 * (1 + start) / 2)
    assert ROWS.loc["proposition", "found"] == pytest.approx(start)


def test_above_two_mu_over_l_squared_no_radius_is_large_enough():
    found = ROWS.loc["assumptions", "found"]
    assert found == pytest.approx(2 * 0.5 / 5.0**2, rel=1e-3)
    for alpha, there_is_one in ((0.9 * found, True), (1.1 * found, False)):
        radii = np.geomspace(1e-3, 1e9, 200)
        enough = [r2 > bounds.smallest_square_radius(alpha, 0.5, 25 * r2 + 1, 10**6) for r2 in radii]
        assert any(enough) == there_is_one


@given(st.floats(0.01, 0.99), st.integers(1, 10**4), st.floats(1e-3, 1e3))
def test_by_eq_9_a_quadratic_of_condition_number_2_has_no_ball_whatever_alpha(share, k, radius):
    mu, alpha = 0.5, share
    needed = bounds.square_radius_for_every_alpha(alpha, mu, (2 * mu * radius) ** 2, k)  # C^2 is at least (L r)^2
    assert radius**2 <= needed * (1 + 1e-9)


def test_by_eq_9_a_rounder_quadratic_has_one():
    assert bounds.square_radius_for_every_alpha(0.5, 0.5, (1.5 * 0.5) ** 2, 100) < 1


def test_the_optimum_of_the_remark_on_prop_3_6_is_ln_lam():
    assert ROWS.loc["lipschitz", ["by_text", "found"]].tolist() == pytest.approx([10, 100], rel=1e-5)


def test_the_diverging_run_keeps_to_eq_8():
    row = ROWS.loc["step_size"]
    assert 1e10 < row["found"] <= row["by_text"]


def test_the_radius_falls_as_one_over_k_at_first_and_saturates():
    assert ROWS.loc["more_iterations", "found"] == pytest.approx((1 - 0.998**10) / 0.002)
    assert f"by a factor of {1 / 0.2:.3g} in all" in ROWS.loc["more_iterations", "comment"]


def test_eq_13_weighs_the_samples_twice():
    rng = np.random.default_rng(0)
    y = rng.exponential(size=200_000)
    assert np.average(y, weights=np.exp(-y)) == pytest.approx(ROWS.loc["density_weight", "by_text"], rel=0.02)


def test_the_mixtures_maximum_jumps_and_the_optimum_does_not():
    row = ROWS.loc["labels"]
    assert row["by_text"] > 0.9
    assert 0.01 <= row["found"] < 0.012  # a hundredth of the way if it moved evenly


def test_the_printed_condition_of_g_1_asks_for_nearly_all_data_once_eq_32_has_its_factor():
    problem = near_optimum.wells(np.random.default_rng(3))
    reading = near_optimum.READINGS[near_optimum.MENDED]
    for share in (0.1, 0.5, 1.0):
        alpha = share / (problem.components * problem.amplitude[1])
        printed, own = near_optimum.smallest_batches(problem, alpha, reading).values()
        assert own < problem.components - 1 <= printed
        slack, step = (1 - problem.rate(alpha)) * problem.ball, reading.step(alpha, problem.components)
        assert slack <= step * problem.nu  # why


def test_the_largest_error_of_a_mean_of_3_of_6_is_that_of_opposite_gradients():
    row = ROWS.loc["mended"]
    assert (row["by_text"], row["found"]) == (3, 1)
    assert row["found"] == bounds.batch_noise_of_means(6, 3, 1.0)


def test_a_bound_in_the_mean_lets_some_runs_of_g_2_leave_the_next_ball():
    row = ROWS.loc["gap"]
    assert 0.05 < row["low"] <= row["found"] <= row["high"] < 0.5


def test_the_two_huber_losses_are_convex_bounded_and_contract_as_the_counterexample_says():
    first, second = remarks.huber_gradients(1.0, 1.0)
    u = np.linspace(-1, 1, 201)
    gradients = np.array([[first(x), second(x)] for x in u])
    assert np.abs(gradients).max() <= 1
    assert np.all(np.diff(gradients, axis=0) >= -1e-12)
    assert gradients.sum(axis=1) == pytest.approx(u, abs=1e-12)


def test_the_table_has_a_part_for_each_kind_and_names_what_did_not_come_out():
    rows = ROWS.reset_index()
    text = summary.statements_text(rows)
    for kind in statements.KINDS:
        assert f"**{kind.capitalize()}** ({(rows['kind'] == kind).sum()})" in text
    assert "did not come out: none." in text
    rows.loc[3, "shown"] = "no"
    assert f"did not come out: {rows.loc[3, 'row']}." in summary.statements_text(rows)


def test_the_words_can_be_shown_by_github():
    for text in ROWS[["where", "printed", "comment", "quantity"]].to_numpy().ravel():
        plain, formulas = text.split("$")[::2], text.split("$")[1::2]
        assert len(plain) == len(formulas) + 1
        assert all(part == "" or part[0] in " .,;:)" for part in plain[1:])
        assert all(part == "" or part[-1] in " (" for part in plain[:-1])
        for formula in formulas:
            assert formula == formula.strip() and "|" not in formula
            assert not re.search(r"\\[^A-Za-z]", formula)  # the backslash would be taken for an escape
