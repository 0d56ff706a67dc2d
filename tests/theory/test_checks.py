"""Each check on its own: that it finds a bound kept, and that it would find one broken."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homotopy.theory import bounds, iterates, lipschitz, near_optimum, problems, summary, tracking, upheld


def test_the_measured_lipschitz_constant_of_a_straight_path_is_the_implicit_function_value():
    (row,) = lipschitz.rows([problems.isotropic(travel=3.0)])
    assert row["measured"] == pytest.approx(3.0)
    assert row["bound"] == pytest.approx(3.0)
    assert row["holds"] == "yes"


def test_the_lipschitz_check_fails_on_a_wrong_velocity(monkeypatch):
    monkeypatch.setattr(problems.Quadratic, "velocity", lambda self, lam: 0.9 * (self.optimum(1.0) - self.optimum(0.0)))
    (row,) = lipschitz.rows([problems.isotropic()])
    assert row["holds"] == "no"


def test_the_iterates_keep_to_prop_3_7_and_the_interval_holds_the_exact_error():
    rows = pd.DataFrame(iterates.rows([problems.isotropic(travel=2.0)], 4000, 0))
    assert set(rows["holds"]) == {"yes"}
    inside = (rows["low"] <= rows["exact"]) & (rows["exact"] <= rows["high"])
    assert inside.mean() >= 0.9


def test_a_mu_that_is_too_large_breaks_prop_3_7_and_is_reported(monkeypatch):
    problem = problems.isotropic(travel=2.0)
    assert {row["holds"] for row in iterates.rows([problem], 200, 0)} == {"yes"}
    monkeypatch.setattr(problems.Quadratic, "mu", property(lambda self: 1.5))
    assert "no" in {row["holds"] for row in iterates.rows([problem], 200, 0)}


def test_the_setting_of_theorem_3_9_is_consistent_with_the_c_it_brings():
    problem = problems.turning()
    use = tracking.setting(problem, 0.05, 30)
    needed = bounds.smallest_square_radius(use.alpha, problem.mu, use.c2, use.k)
    assert use.radius**2 > needed
    farthest = (use.radius + use.delta * use.step) ** 2  # squared, when lam has just changed
    stationary = use.alpha * problem.noise**2 / (problem.mu * (2 - use.alpha * problem.mu))
    assert use.c2 == pytest.approx(problem.noise**2 + problem.smoothness**2 * max(farthest, stationary))
    admitted = bounds.admissible_step(use.radius, use.delta, use.alpha, problem.mu, use.c2, use.k)
    assert use.step == pytest.approx(admitted, rel=1e-4)


def test_the_error_stays_in_the_ball_with_admissible_steps_and_leaves_it_with_one_large_step():
    rows = pd.DataFrame(tracking.rows([problems.isotropic(travel=4.0)], 1000, 0))
    allowed = rows[rows["step_over_admissible"] <= 1]
    assert allowed["gamma"].nunique() == 1
    assert set(allowed["holds"]) == {"yes"}
    assert (rows[rows["gamma"] == 1]["holds"] == "no").any()


def test_a_path_starts_behind_the_optimum_as_it_moves_away():
    still = dataclasses.replace(problems.isotropic(travel=4.0), noise=0.0)
    use = tracking.Setting(alpha=1e-12, k=1, delta=4.0, radius=2.0, c2=0.0, step=1.0)
    errors = tracking.follow(still, use, 2, 3, np.random.default_rng(0))
    assert [math.sqrt(error.value) for error in errors] == pytest.approx([2.0, 4.0, 6.0])


def test_numbers_of_steps_fall_from_the_admissible_one_to_a_single_step():
    assert tracking.gammas(0.1) == [10, 5, 2, 1]
    assert tracking.gammas(1.0) == [1]
    assert max(tracking.gammas(0.0301)) * 0.0301 >= 1


def test_bisection_finds_the_root_of_a_decreasing_function():
    assert tracking.bisect(lambda x: math.pi - x, 0.0, 10.0) == pytest.approx(math.pi, abs=1e-7)


def test_a_recorded_run_starts_at_the_source_optimum_and_each_step_where_the_last_one_ended():
    walk, balls = map(pd.DataFrame, tracking.one_run(0))
    problem = dataclasses.replace(problems.turning(), noise=4.0)
    assert walk.iloc[0][["x", "y"]].tolist() == pytest.approx(problem.optimum(0.0))
    ends, starts = walk[walk["k"] == walk["k"].max()], walk[walk["k"] == 0]
    assert np.array_equal(ends[["x", "y"]].to_numpy()[:-1], starts[["x", "y"]].to_numpy()[1:])
    assert balls["lam"].tolist() == [0.0, *starts["lam"]]
    assert balls.iloc[-1][["x", "y"]].tolist() == pytest.approx(problem.optimum(1.0))


WELLS = near_optimum.wells(np.random.default_rng(3))


def test_the_sum_of_cosines_has_its_optimum_where_it_says():
    for lam in (0.0, 0.7):
        total = WELLS.component_gradients(WELLS.optimum(lam)[None], lam).sum(axis=1)
        assert np.abs(total).max() < 1e-10


def test_curvature_rate_and_gradient_bound_hold_inside_the_ball():
    rng = np.random.default_rng(4)
    offset = near_optimum.on_sphere(1.0, 5000, 2, rng) * WELLS.ball * np.sqrt(rng.uniform(size=(5000, 1)))
    each = WELLS.component_gradients(WELLS.optimum(0.0) + offset, 0.0)
    full = each.sum(axis=1)
    assert np.linalg.norm(each, axis=2).max() <= WELLS.nu
    assert np.all(np.einsum("ij,ij->i", full, offset) >= 20 * WELLS.mu * (offset**2).sum(axis=1) * (1 - 1e-9))
    alpha = 1 / (20 * WELLS.amplitude[1])
    after = np.linalg.norm(offset - alpha * full, axis=1)
    assert np.all(after <= WELLS.rate(alpha) * np.linalg.norm(offset, axis=1) * (1 + 1e-9))


def test_two_readings_of_the_batch_gradient_are_unbiased_over_all_batches():
    gradients = np.random.default_rng(5).standard_normal((6, 3))
    shares = {}
    for name, reading in near_optimum.READINGS.items():
        g, found = upheld.estimates(gradients, 2, reading)
        assert len(found) == math.comb(6, 2)
        shares[name] = found.mean(axis=0) / g
    for name in (near_optimum.UNBIASED, near_optimum.MENDED):
        assert shares[name] == pytest.approx(np.ones(3))
    assert shares["sum over the batch"] == pytest.approx(np.full(3, 2 / 6))
    assert shares["as printed"] == pytest.approx(np.full(3, 1 / 6))


def test_the_random_batches_are_those_of_the_enumeration():
    few = near_optimum.Wells(WELLS.centres[:5], WELLS.travel, WELLS.ball)
    theta = np.tile(few.optimum(0.0) + 0.5, (2000, 1))
    for reading in near_optimum.READINGS.values():
        _, every = upheld.estimates(few.component_gradients(theta[:1], 0.0)[0], 3, reading)
        drawn = few.gradient(0.0, 3, reading.batch)(theta, np.random.default_rng(6))
        nearest = np.abs(drawn[:, None] - every).max(axis=2)
        assert nearest.min(axis=1).max() < 1e-12
        counts = np.bincount(nearest.argmin(axis=1), minlength=10)
        assert counts.min() > 130  # of 200 expected; five standard deviations


@given(st.integers(2, 7), st.data())
def test_with_1_n_in_eq_32_the_batch_gradient_errs_by_less_than_the_printed_bound(n, data):
    m = data.draw(st.integers(1, n - 1))
    entries = st.floats(-1, 1, allow_subnormal=False)
    gradients = np.array(data.draw(st.lists(entries, min_size=n, max_size=n)))[:, None]
    g, found = upheld.estimates(gradients, m, near_optimum.READINGS[near_optimum.MENDED])
    nu = np.abs(gradients).max()
    largest = np.abs(found - g).max()
    assert largest <= bounds.batch_noise_of_means(n, m, nu) * (1 + 1e-9) + 1e-15
    assert bounds.batch_noise_of_means(n, m, nu) <= bounds.batch_noise_as_printed(n, m, nu) * (1 + 1e-9)


def test_section_g_holds_except_for_the_printed_sum_beside_a_mean():
    rows = pd.DataFrame(near_optimum.rows(200, 0))
    broken = rows[rows["holds"] == "no"]
    assert set(broken["bound_of"]) == {"G.1, as printed"}
    assert set(broken["case"]) == {"||g - g~||"}
    claimed = rows[rows["case"].str.startswith("ball") & (rows["holds"] != "not claimed")]
    assert (claimed["left"] == 0).all()


def test_a_bound_in_the_ball_follows_from_the_constants_of_its_row_and_says_more_than_the_ball():
    for row in near_optimum.iterate_rows(WELLS, 50, 0):
        bound = bounds.iterate_error(WELLS.ball**2, row["alpha"], row["mu"], row["nu"] ** 2, row["k"])
        assert row["bound"] == pytest.approx(bound) and bound < WELLS.ball**2


def test_the_two_unbiased_readings_take_the_same_steps():
    rows = pd.DataFrame(near_optimum.rows(100, 0)).query("M == 15").set_index(["bound_of", "case"])["measured"]
    scaled, mean = "G.1, " + near_optimum.UNBIASED, "G.1, " + near_optimum.MENDED
    assert rows[scaled, "||g - g~||"].item() > 10 * rows[mean, "||g - g~||"].item()
    ours = [rows[scaled, "ball, 2 (N - M) nu"], rows[mean, "ball, 2 (1 - M/N) nu"]]
    assert ours[0].to_numpy() == pytest.approx(ours[1].to_numpy())


def test_a_path_of_small_steps_ends_at_its_optimum_and_the_direct_jump_at_another():
    path, direct = near_optimum.path_rows(WELLS, 200, 0)
    assert (path["left"], path["wrong optimum"]) == (0, 0)
    assert direct["wrong optimum"] == 1
    assert (path["holds"], direct["holds"]) == ("yes", "not claimed")


def test_the_worst_direction_meets_prop_g_1_with_equality():
    for row in near_optimum.move_rows(WELLS, 50, 0):
        assert row["measured"] == pytest.approx(WELLS.ball) and row["holds"] == "yes"


def test_nothing_is_claimed_of_a_batch_that_the_condition_does_not_allow():
    for row in near_optimum.stay_rows(WELLS, 20, 0):
        assert (row["holds"] == "not claimed") == (row["M"] < row["smallest M"])


@pytest.mark.parametrize("name", near_optimum.READINGS)
def test_the_smallest_batch_is_the_first_that_the_condition_allows(name):
    reading, n, alpha = near_optimum.READINGS[name], WELLS.components, 0.5 / WELLS.smoothness
    slack = (1 - WELLS.rate(alpha)) * WELLS.ball
    for condition, batch in near_optimum.smallest_batches(WELLS, alpha, reading).items():
        times = reading.step(alpha, n) * reading.conditions[condition](n, batch) * WELLS.nu
        assert times * (n - batch) <= slack < times * (n - batch + 1)


def test_a_bound_s_row_is_its_tightest_setting_and_speaks_for_all_that_are_claimed():
    rows = pd.DataFrame(
        {
            "problem": "a", "M": [1, 2, 3, 4], "bound": [1.0, 2.0, 4.0, 1.0], "measured": [0.2, 1.8, 2.0, 5.0],
            "low": [0.1, 1.7, 1.9, 4.9], "high": [0.3, 2.1, 2.1, 5.1], "ratio": [0.2, 0.9, 0.5, 5.0],
            "holds": ["yes", "undecided", "yes", "not claimed"],
        }
    )  # fmt: skip
    (row,) = summary.tightest(rows, "Eq. 8", ["problem"])
    assert (row["constants"], row["value"], row["measured"], row["low"], row["high"]) == ("M 2", 2.0, 1.8, 1.7, 2.1)
    assert (row["ratio"], row["loosest"]) == (0.9, 0.2)
    assert (row["holds"], row["settings"], row["violated"]) == ("undecided", 3, 0)
