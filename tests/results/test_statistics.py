"""Statistics against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

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


def test_first_epoch_is_the_first_recorded_one_at_or_below_the_threshold():
    curves = np.array([[3.0, 2.0, 2.5], [3.0, 3.0, 1.0], [3.0, 3.0, INF]])
    assert s.first_epoch(np.array([1, 10, 20]), curves, 2.0).tolist() == [10, 20, INF]


def test_a_settled_curve_has_at_each_epoch_the_median_of_the_last_ones():
    epochs, curve = np.array([1, 10, 20, 30, 40]), np.array([9.0, 5.0, INF, 1.0, 2.0])
    found = s.settled_curves(epochs, np.stack([curve, 2 * curve]), 20)  # of 30: those after epoch 10
    assert found[0].tolist() == [9.0, 7.0, 9.0, INF, 1.5]
    assert found[1].tolist() == [18.0, 14.0, 18.0, INF, 3.0]
    assert s.settled_curves(epochs, curve, 1).tolist() == curve.tolist()
    assert s.settled(epochs, curve, 20) == 1.5
    assert s.settled(epochs, curve, 1000) == 5.0
