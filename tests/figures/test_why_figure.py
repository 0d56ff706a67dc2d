"""The figure of what happens while networks train: what it makes of the tables."""

from __future__ import annotations

import pandas as pd

from homotopy.figures import common, why


def test_a_seed_s_early_dead_units_stand_beside_what_it_fits_at_the_end():
    rows = [
        (seed, epoch, dead + epoch / 10_000, fitted, 20)
        for seed, dead, fitted in ((3, 0.5, 20), (5, 0.7, 5))
        for epoch, fitted in ((0, 0), (175, 1), (200, 2), (225, 3), (2500, fitted))
    ]
    stations = {method: pd.DataFrame({"epoch": [200, 400]}) for method in why.PATHS}
    looks = pd.DataFrame(rows, columns=["seed", "epoch", "dead", "fitted", "periods"])
    found = why.relation(looks, why.first_step(stations))
    assert found.index.tolist() == [3, 5]
    assert found["dead"].round(3).tolist() == [0.52, 0.72]  # of epoch 200, the end of the first step
    assert found["fitted"].tolist() == [1.0, 0.25]


def test_the_amplitude_is_drawn_as_the_median_over_seeds_for_each_method():
    rows = [(seed, epoch, seed * epoch / 10) for seed in (1, 2, 4) for epoch in (0, 1, 2)]
    looks = pd.DataFrame(rows, columns=["seed", "epoch", "amplitude_omega"])
    _, (axes,) = common.subplots()
    why.amplitude(axes, {"random": looks, "homotopy": looks.assign(amplitude_omega=0.5)})
    drawn = [line.get_ydata().tolist() for line in axes.get_lines()]
    assert drawn == [[0.0, 0.2, 0.4], [0.5, 0.5, 0.5]]
    assert [line.is_dashed() for line in axes.get_lines()] == [True, False]  # told apart in grey print
