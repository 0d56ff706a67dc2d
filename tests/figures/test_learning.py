"""The moving picture shows the snapshots of the seed that its rule names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from homotopy.errors import ResultError
from homotopy.figures import common, learning, looks
from homotopy.results import snapshots
from homotopy.results.library import Place, Result
from homotopy.results.methods import METHODS

EPOCHS = np.arange(0, 101, 25)
ENDS = {0: 0.3, 1: 0.1, 2: 0.2}  # the homotopy's losses by seed: its median is seed 2


@pytest.fixture
def place(tiny, monkeypatch) -> Place:
    """Return a place with runs of three methods, and snapshots of seed 2 that a number tells apart."""
    results = []
    for number, method in enumerate(METHODS, 1):
        config = tiny(f"method={method}")
        rows = [(seed, epoch, 0.1, end) for seed, end in ENDS.items() for epoch in range(10, 101, 10)]
        results.append(Result(config, pd.DataFrame(rows, columns=["seed", "epoch", "lam", "target_loss"])))
        y = np.outer(EPOCHS / 100, np.full(501, number / 10))
        taken = snapshots.Snapshots(EPOCHS, EPOCHS / 100, np.linspace(0, 1, 501), y)
        snapshots.write(snapshots.path(config, 2), taken)
    monkeypatch.setattr(learning, "tasks", lambda name, place: ([results], ""))
    return Place(config.results, config.profile)


def test_it_reads_the_runs_of_the_median_seed(place):
    for number, run in enumerate(learning.runs(place), 1):
        assert (run.method, run.loss(0), run.loss(100)) == (METHODS[number - 1], 0.2, 0.2)
        np.testing.assert_allclose(run.taken.y[-1], number / 10, atol=1e-3)


def test_a_panel_shows_the_snapshot_that_it_is_told_to(place):
    run = learning.runs(place)[2]
    _, (axes,) = common.subplots()
    row = learning.OutputPanel(axes, run)
    row.show(3)
    (network,) = (line for line in axes.lines if line.get_color() == looks.COLOURS["homotopy"])
    np.testing.assert_allclose(network.get_ydata(), run.taken.y[3])
    assert {text.get_text() for text in axes.texts} >= {"\N{GREEK SMALL LETTER LAMDA} = 0.8,  loss 0.2"}


def test_the_end_comes_first_and_the_same_runs_give_the_same_bytes(place, monkeypatch):
    shown, save = [], learning.animation.save

    def watched(figure, show, frames, *rest, **options):
        return save(figure, lambda i: shown.append(i) or show(i), frames, *rest, **options)

    monkeypatch.setattr(learning.animation, "save", watched)
    (file,) = learning.draw(place)
    last = len(EPOCHS) - 1
    first_of_each = list(dict.fromkeys(shown))
    assert first_of_each == [last, *range(last)]
    first = file.read_bytes()
    learning.draw(place)
    assert file.read_bytes() == first
    with Image.open(file) as gif:
        assert (gif.size[0], gif.n_frames) == (800, len(EPOCHS))


def test_what_is_missing_is_named_with_its_command(place):
    next((place.folder / "snapshots").glob("*warmstart*")).unlink()
    with pytest.raises(ResultError, match="warmstart.*missing.*scripts/snapshots.py profile=smoke"):
        learning.draw(place)
