"""Statistics against numbers worked out by hand, and against scipy."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from homotopy.results import statistics as s

INF = np.inf


def test_quantiles_count_diverged_runs_as_worst():
    losses = np.array([[1.0, 1.0], [2.0, INF], [3.0, INF]])
    assert s.quantile(losses, 0.5).tolist() == [2.0, INF]
    assert s.quantile(losses, 0.25).tolist() == [1.5, INF]  # between 1 and a diverged run
    assert s.median(losses.T).tolist() == [2.0, INF]


def test_median_curves_keep_every_seed():
    runs = pd.DataFrame({"seed": [0, 1, 0, 1], "epoch": [1, 1, 2, 2], "loss": [1.0, 3.0, 2.0, INF]})
    found = s.median_curves(runs, ["loss"])
    assert found["n"].tolist() == [2, 2]
    assert found["median"].tolist() == [2.0, INF]


@pytest.mark.parametrize(
    ("over", "under", "expected"), [(6, 3, 2), (0, 0, 1), (INF, INF, 1), (1, INF, 0), (INF, 1, INF), (1, 0, INF)]
)
def test_ratio(over, under, expected):
    assert s.ratio(over, under) == expected


def test_ratio_of_medians():
    assert s.ratio_of_medians(np.array([2.0, 8.0, 100.0]), np.array([1.0, 4.0, 2.0])) == 4.0
    assert s.ratio_of_medians(np.array([2.0, INF, INF]), np.array([1.0, 4.0, 2.0])) == INF


def test_first_epoch_is_the_first_recorded_one_at_or_below_the_threshold():
    curves = np.array([[3.0, 2.0, 2.5], [3.0, 3.0, 1.0], [3.0, 3.0, INF]])
    assert s.first_epoch(np.array([1, 10, 20]), curves, 2.0).tolist() == [10, 20, INF]


def test_rank_correlation_agrees_with_scipy_row_by_row():
    rng = np.random.default_rng(0)
    x, rows = np.array([10, 40, 74, 95, 116]), rng.integers(4, size=(20, 5)).astype(float)  # ties are likely
    expected = [stats.spearmanr(x, row).statistic for row in rows if len(set(row)) > 1]
    found = [s.rank_correlation(x, row) for row in rows if len(set(row)) > 1]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(s.rank_correlation(x, rows)[0], s.rank_correlation(x, rows[0]))
    assert s.rank_correlation(x, np.ones(5)) == 0
    assert s.rank_correlation(np.array([1, 2, 3]), np.array([1.0, INF, 5.0])) == 0.5


def test_bootstrap_of_three_values_has_the_known_distribution():
    # of the 27 resamples of (1, 2, 3) the median is 1, 2, 3 in 7, 13, 7
    counts = np.bincount([int(np.median(draw)) for draw in itertools.product([1, 2, 3], repeat=3)])
    assert counts.tolist() == [0, 7, 13, 7]
    medians = s.median(np.array([1.0, 2.0, 3.0])[s.resampled(3)])
    np.testing.assert_allclose(np.bincount(medians.astype(int)) / len(medians), counts / 27, atol=0.02)
    assert s.bootstrap(s.median, np.array([1.0, 2.0, 3.0]), level=0.4) == (2, 2, 2, 3)
    assert s.bootstrap(s.median, np.array([1.0, 2.0, 3.0]), level=0.95) == (2, 1, 3, 3)


def test_bootstrap_agrees_with_scipy():
    values = np.random.default_rng(1).lognormal(size=40)
    ours = s.bootstrap(s.median, values, level=0.9)
    theirs = stats.bootstrap(
        (values,),
        np.median,
        confidence_level=0.9,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    np.testing.assert_allclose([ours.low, ours.high], theirs, rtol=0.03)


def test_bootstrap_keeps_methods_paired():
    values = np.random.default_rng(3).lognormal(size=15)
    assert s.bootstrap(s.ratio_of_medians, 3 * values, values, level=0.99)[:3] == pytest.approx((3, 3, 3))


def test_bootstrap_covers_the_true_median_as_often_as_it_says():
    rng = np.random.default_rng(4)
    found = [s.bootstrap(s.median, rng.normal(size=31)) for _ in range(60)]
    covered = sum(interval.low <= 0 <= interval.high for interval in found)
    assert stats.binomtest(covered, 60, 0.95).pvalue > 0.01


def test_bootstrap_with_diverged_seeds_has_an_open_end():
    found = s.bootstrap(s.median, np.array([1.0, 2.0, 3.0, INF, INF]))
    assert (found.value, found.low, found.high) == (3.0, 1.0, INF)


def test_the_range_of_five_values_covers_the_median_with_15_in_16():
    assert s.level_of_range(5) == 1 - 2 / 2**5  # all five above it, or all five below


def test_probability_of_improvement():
    assert s.probability_of_improvement(np.array([1.0, 2.0, 3.0, INF]), np.array([2.0, 2.0, 1.0, INF])) == 0.5


def test_signed_rank_by_hand():
    # all five seeds better: 2 of the 2^5 signings are as extreme
    ours = np.array([1.0, 1.0, 1.0, 1.0, 1.0])
    assert s.signed_rank(ours, np.array([2.0, 3.0, 4.0, 5.0, INF])) == pytest.approx(2 / 32)
    assert s.signed_rank(ours, ours) == 1.0


def test_signed_rank_agrees_with_scipy():
    rng = np.random.default_rng(5)
    ours, theirs = rng.lognormal(size=(2, 30))
    assert s.signed_rank(ours, theirs) == pytest.approx(stats.wilcoxon(np.log(ours), np.log(theirs)).pvalue)
    assert s.signed_rank(ours, theirs) == pytest.approx(s.signed_rank(theirs, ours))


def test_a_diverged_seed_has_the_largest_rank():
    ours, theirs = np.array([1.0, 1.0, 1.0, INF]), np.array([2.0, 3.0, 4.0, 1.0])
    assert s.signed_rank(ours, theirs) == pytest.approx(stats.wilcoxon([-1, -2, -3, 4]).pvalue)


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1: 0.04, 0.06, 0.06, then not below what came before
    np.testing.assert_allclose(s.holm(np.array([0.04, 0.01, 0.03, 0.02])), [0.06, 0.04, 0.06, 0.06])
    assert s.holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]


def test_ranks():
    assert s.ranks(np.array([5.0, 1.0, 5.0, INF])).tolist() == [0, -1.5, 0, 1.5]
