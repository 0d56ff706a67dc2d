"""The figure of what happens while networks train: what it makes of the tables."""

from __future__ import annotations

import pandas as pd

from homotopy.figures import why


def test_a_seed_s_early_dead_units_stand_beside_what_it_fits_at_the_end():
    rows = [
        (seed, epoch, dead + epoch / 10_000, fitted, 20)
        for seed, dead, fitted in ((3, 0.5, 20), (5, 0.7, 5))
        for epoch, fitted in ((0, 0), (175, 1), (200, 2), (225, 3), (2500, fitted))
    ]
    found = why.relation(pd.DataFrame(rows, columns=["seed", "epoch", "dead", "fitted", "periods"]))
    assert found.index.tolist() == [3, 5]
    assert found["dead"].round(3).tolist() == [0.52, 0.72]  # of epoch 200, the end of the paper's first step
    assert found["fitted"].tolist() == [1.0, 0.25]
