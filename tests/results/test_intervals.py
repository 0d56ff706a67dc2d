"""Intervals against brute force, scipy, published tables, and the coverage that they promise."""

import itertools

import numpy as np
import pytest
from scipy import stats

from homotopy.results import intervals, statistics

INF = np.inf


def pair(ours, theirs):
    """Return one method and one opponent as (values, n) and (opponents, values, n)."""
    return np.asarray(ours, float)[None], np.asarray(theirs, float)[None, None]


def ends(interval):
    return interval.low, interval.high


def test_up_to_ten_seeds_every_resample_is_there_with_its_probability():
    counts, weights = intervals.resamples(4)
    drawn = [np.bincount(each, minlength=4) for each in itertools.product(range(4), repeat=4)]
    expected = {tuple(c): n / 4**4 for c, n in zip(*np.unique(drawn, axis=0, return_counts=True), strict=True)}
    assert {tuple(c): pytest.approx(w) for c, w in zip(counts.T, weights, strict=True)} == expected
    counts, weights = intervals.resamples(10)
    assert counts.shape == (10, 92_378) and weights.sum() == pytest.approx(1)  # 19 over 10 multisets


def test_above_ten_seeds_they_are_fair_draws():
    counts, weights = intervals.resamples(11)
    assert counts.shape == (11, 100_000) and (counts.sum(axis=0) == 11).all() and weights.sum() == pytest.approx(1)
    expected = 100_000 * stats.binom.pmf(range(5), 11, 1 / 11)
    for of_a_seed in counts:
        found = np.bincount(of_a_seed, minlength=5)[:5]
        np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(expected).max())


@pytest.mark.parametrize("n", [1, 2, 5, 8, 12, 300])
def test_the_medians_of_resamples_are_those_of_numpy(n):
    rng = np.random.default_rng(n)
    sample = rng.integers(5, size=n).astype(float)  # ties
    sample[: n // 4] = INF
    counts, _ = intervals.resamples(n) if n <= 12 else (intervals._counts(rng.integers(n, size=(200, n)), n), None)
    some = rng.integers(counts.shape[1], size=200)
    expected = [np.median(np.repeat(sample, counts[:, i])) for i in some]
    assert intervals.medians(sample, counts)[some].tolist() == expected
    assert intervals.medians(np.stack([sample, 2 * sample]), counts)[1, some].tolist() == [2 * x for x in expected]


def test_the_ratio_s_interval_is_that_of_all_resamples_one_by_one():
    rng = np.random.default_rng(0)
    ours, theirs = rng.lognormal(size=(2, 5))
    draws = np.array(list(itertools.product(range(5), repeat=5)))
    every = np.sort(np.median(theirs[draws], axis=1) / np.median(ours[draws], axis=1))
    for level in (0.5, 0.9, 0.99):
        low = every[int((1 - level) / 2 * len(every))]
        high = every[::-1][int((1 - level) / 2 * len(every))]
        found = intervals.ratio_of_medians(*pair(ours, theirs), level)
        assert found.value == np.median(theirs) / np.median(ours)
        assert ends(found) == pytest.approx((low, high))


def test_it_agrees_with_scipy_s_bootstrap():
    rng = np.random.default_rng(1)
    ours, theirs = rng.lognormal(size=(2, 40))
    found = intervals.ratio_of_medians(*pair(ours, theirs), 0.9)
    expected = stats.bootstrap(
        (ours, theirs), lambda a, b, axis: np.median(b, axis=axis) / np.median(a, axis=axis), paired=True,
        confidence_level=0.9, method="percentile", n_resamples=20_000, rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    np.testing.assert_allclose(ends(found), expected, rtol=0.03)


def test_seeds_stay_paired():
    values = np.random.default_rng(3).lognormal(size=15)
    for found in (
        intervals.ratio_of_medians(*pair(values, 3 * values)),
        intervals.hodges_lehmann(*pair(values, 3 * values)),
    ):
        assert found == pytest.approx((3, 3, 3, 15))


def test_exchanging_the_methods_inverts_every_interval():
    ours, theirs = np.random.default_rng(4).lognormal(size=(2, 9))
    for of in (intervals.ratio_of_medians, intervals.hodges_lehmann):
        found, inverse = of(*pair(ours, theirs), 0.9), of(*pair(theirs, ours), 0.9)
        assert (found.value, found.low, found.high) == pytest.approx(
            (1 / inverse.value, 1 / inverse.high, 1 / inverse.low)
        )


def test_of_several_opponents_each_resample_takes_the_best():
    ours, theirs = np.ones((1, 3)), np.array([[[1.0, 2.0, 9.0]], [[9.0, 2.0, 1.0]]])
    draws = np.array(list(itertools.product(range(3), repeat=3)))
    best = np.minimum(*(np.median(each[0][draws], axis=1) for each in theirs))
    found = intervals.ratio_of_medians(ours, theirs, 0.5)
    assert (found.value, found.low, found.high) == (2, np.sort(best)[6], np.sort(best)[::-1][6])


def test_pooled_values_are_averaged_geometrically():
    ours, theirs = np.ones((2, 9)), np.stack([np.full(9, 2.0), np.full(9, 8.0)])[None]
    for of in (intervals.ratio_of_medians, intervals.hodges_lehmann):
        assert of(ours, theirs) == pytest.approx((4, 4, 4, 9))
    # of a value each, the best opponent counts for the ratio; seed by seed it is one opponent for all values
    theirs = np.array([[np.full(9, 2.0), np.full(9, 8.0)], [np.full(9, 8.0), np.full(9, 2.0)]])
    assert intervals.ratio_of_medians(ours, theirs).value == pytest.approx(2)
    assert intervals.hodges_lehmann(ours, theirs).value == pytest.approx(4)


def test_infinite_losses_count_and_leave_an_end_open():
    ours, theirs = np.ones(9), np.array([2.0] * 5 + [INF] * 4)
    found = intervals.ratio_of_medians(*pair(ours, theirs))
    assert (found.value, found.low, found.high) == (2, 2, INF)
    assert intervals.ratio_of_medians(*pair(theirs, ours)).low == 0
    paired = intervals.hodges_lehmann(*pair(ours, theirs), 0.9)
    assert paired.value == INF and paired.low == pytest.approx(2)  # more than half of the means have an infinite part
    mixed = intervals.hodges_lehmann(*pair([1, INF, 1], [INF, 1, 1]), 0.5)
    assert mixed.value == 1  # one infinitely better, one infinitely worse
    both = intervals.ratio(np.array([INF, 1.0]), np.array([[1.0, INF]]))  # 0 at one value, infinite at the other
    assert both == 1


def test_the_signed_rank_distribution_by_hand_and_by_scipy():
    assert (intervals.signed_ranks(3) * 8).tolist() == [1, 1, 1, 2, 1, 1, 1]
    for n in (9, 20, 40):
        below = np.cumsum(intervals.signed_ranks(n))
        for rank_sum in (0, 3, n, 2 * n):  # a sample whose positive ranks have this sum
            ranks, rest = np.arange(1.0, n + 1), rank_sum
            signs = -np.ones(n)
            for i in reversed(range(n)):
                if ranks[i] <= rest:
                    signs[i], rest = 1, rest - ranks[i]
            p = stats.wilcoxon(ranks * signs, alternative="less", method="exact").pvalue
            assert below[rank_sum] == pytest.approx(p)


def test_the_interval_of_hollander_and_wolfe():
    # Hollander and Wolfe, Nonparametric Statistical Methods, table 3.1 (depression scale): R's wilcox.test gives for
    # x - y the pseudomedian 0.46 and, as the interval of 95 %, 0.01 to 0.786 (exact level 96.1 %)
    x = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    y = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    assert intervals.signed_rank_interval(x - y, 0.95) == pytest.approx((0.46, 0.01, 0.786), abs=5e-4)


def test_the_interval_is_what_the_signed_rank_test_does_not_reject():
    rng = np.random.default_rng(5)
    differences = rng.normal(0.3, 1, size=12)
    _, low, high = intervals.signed_rank_interval(differences, 0.95)
    for shift, inside in ((low - 1e-9, False), (low + 1e-9, True), (high - 1e-9, True), (high + 1e-9, False)):
        assert (stats.wilcoxon(differences - shift, method="exact").pvalue > 0.05) == inside


def test_too_few_seeds_for_a_level_have_the_whole_line():
    found = intervals.hodges_lehmann(*pair(np.ones(5), np.full(5, 2.0)), 0.95)  # 2 / 2^5 is more than 5 %
    assert (found.low, found.high) == (0, INF) and found.value == pytest.approx(2)
    six = intervals.hodges_lehmann(*pair(np.ones(6), np.full(6, 2.0)), 0.95)
    assert (six.low, six.high) == pytest.approx((2, 2))


def test_several_opponents_share_the_level():
    rng = np.random.default_rng(6)
    ours, theirs = rng.lognormal(size=(1, 12)), rng.lognormal(size=(2, 1, 12))
    both = intervals.hodges_lehmann(ours, theirs, 0.9)
    each = [intervals.hodges_lehmann(ours, one[None], 0.95) for one in theirs]
    assert both[:3] == pytest.approx(tuple(min(column) for column in zip(*each, strict=True))[:3])


def test_the_share_has_the_interval_of_clopper_and_pearson():
    found = intervals.share(np.arange(20) < 5, 0.95)
    assert found == pytest.approx((0.25, 0.0866, 0.4910, 20), abs=5e-5)  # Newcombe 1998 and common tables
    assert intervals.share(np.zeros(9, bool), 0.95)[:3] == pytest.approx((0, 0, 1 - 0.025 ** (1 / 9)))


@pytest.mark.parametrize("n", [10, 25])
def test_intervals_cover_the_true_ratio_as_often_as_they_say(n):
    rng, repetitions, true = np.random.default_rng(n), 300, 2.0
    covered = np.zeros(2, int)
    counts, weights = intervals.resamples(n)
    some = slice(None) if n <= 10 else slice(2_000)  # fewer draws, so that the test is quick
    for _ in range(repetitions):
        common = rng.normal(size=n)  # seeds are paired: what they share cancels seed by seed
        ours, theirs = np.exp(common + 0.5 * rng.normal(size=n)), true * np.exp(common + 0.5 * rng.normal(size=n))
        drawn = statistics.ratio(*(intervals.medians(x, counts[:, some]) for x in (theirs, ours)))
        low, high = intervals.percentiles(drawn, weights[some] / weights[some].sum(), 0.9)
        paired = intervals.hodges_lehmann(*pair(ours, theirs), 0.9)
        covered += [low <= true <= high, paired.low <= true <= paired.high]
    # the bootstrap's coverage is approximate, the signed ranks' exact for these symmetric log ratios: at least 90 %
    assert (covered / repetitions > 0.9 - 3 * np.sqrt(0.09 / repetitions)).all()
    assert (covered / repetitions < 0.99).all()
