"""The map's rule on curves whose points can be counted by hand."""

import numpy as np
import pytest

from homotopy.report.map import MedianCurve, epochs_to, points, score, winner


def curve(*loss: float) -> MedianCurve:
    return MedianCurve(np.arange(1, len(loss) + 1) * 10, np.array(loss))


@pytest.mark.parametrize(
    ("homotopy", "baseline", "expected"),
    [
        (curve(1, 0.1), curve(1, 0.2), 1.0),  # clearly below
        (curve(1, 0.2), curve(1, 0.1), 0.0),  # clearly above
        (curve(0.1, 0.1, 0.1), curve(1, 1, 0.11), 0.5),  # alike, and there first
        (curve(1, 1, 0.1), curve(0.1, 0.1, 0.11), 0.0),  # alike, but later
        (curve(1, 0.1), curve(1, 0.1), 0.0),  # alike in everything
        (curve(1, 0.1), curve(1, np.inf), 1.0),  # diverged
    ],
)
def test_points(homotopy, baseline, expected):
    assert points(homotopy, baseline) == expected


def test_epochs_to_a_threshold_that_is_never_reached():
    assert epochs_to(curve(1, 0.5), 0.6) == 20
    assert epochs_to(curve(1, 0.5), 0.1) == np.inf


def test_score_counts_a_missing_omega_as_nothing_and_caps_the_advantage():
    curves = {"homotopy": curve(1, 1e-3), "random": curve(1, 1.0), "warmstart": curve(1, 0.5)}
    assert score({137.0: curves}) == (2.0, 100.0)
    assert score({74.0: curves, 137.0: curves}) == (4.0, 100.0)
    assert score({}) == (0.0, 0.0)


def test_more_points_win_over_a_larger_advantage():
    assert winner([(3.0, 100.0), (3.5, 2.0), (3.5, 5.0), (3.5, 5.0)]) == 2
