"""The figures of who solves what, beyond the paper's omegas and with what people do today: what they count."""

from __future__ import annotations

import shutil

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from homotopy.errors import ResultError
from homotopy.figures import limits, today
from homotopy.results import solved
from homotopy.results.intervals import share
from homotopy.results.library import Place, experiment, tasks
from homotopy.results.methods import METHODS
from tests.made import save_experiment

SOLVED = 0.01


def final(config, seed):
    """Return a loss with which seed 0 of the homotopy solves the task, and every seed of the homotopy in frequency."""
    solves = {"homotopy": seed == 0, "frequency": True}.get(config.method.name, False)
    return 0.001 if solves else 0.1


def test_shares_are_of_seeds_that_end_below_a_loss(tmp_path):
    place = Place(tmp_path, "smoke")
    save_experiment("frequency", place, final)
    groups, note = tasks("frequency,limits", place)
    results = [each for group in groups for each in group]
    found = solved.table(results, SOLVED).set_index(["omega", "method"])
    assert sorted(found.index.unique("omega")) == [74, 95, 116, 137]
    assert found["share"].unstack().loc[74].to_dict() == {"random": 0, "warmstart": 0, "homotopy": 0.5, "frequency": 1}
    assert found.loc[(137, "homotopy"), ["low", "high", "n"]].tolist() == list(share(np.array([True, False]))[1:])
    assert "158" in note and "137" not in note  # what is lacking
    assert [path.name for path in limits.draw(place)] == ["limits.png", "limits.pdf"]


def test_without_any_shares_the_missing_experiment_is_named(tmp_path):
    with pytest.raises(ResultError, match="experiment=frequency"):
        limits.draw(Place(tmp_path, "smoke"))


def test_every_arm_of_today_is_counted_at_the_omegas_that_have_all_of_them(tmp_path):
    place = Place(tmp_path, "smoke")
    save_experiment("today", place, final)
    found = solved.table(experiment("today", place), SOLVED)
    arms = ["default", "standardised input", "Fourier features", "sine activations"]
    arms += ["sine activations and annealing", "step size 0.0003", "step size 0.003", "warm-up of the step size"]
    assert found["arm"].unique().tolist() == arms
    assert (found.groupby(["omega", "method"])["arm"].nunique() == len(arms)).all()
    random = found[found["method"] == "random"]
    assert (random["solved"] == 0).all() and random["loss"].tolist() == pytest.approx([0.1] * len(random))
    assert (found.loc[found["method"] == "homotopy", "solved"] == 1).all()
    shutil.rmtree(place.folder / "sine-omega74")
    assert len(today.draw(place)) == 2  # of omega 137 alone


def test_today_has_a_column_for_any_other_method_that_was_run():
    _, axes = plt.subplots()
    cells = [("default", "adaptive", 10, 3, 0.2, 0.3)]
    columns = ["arm", "method", "n", "solved", "loss", "share"]
    today.panel(axes, pd.DataFrame(cells, columns=columns), ["default"], [*METHODS, "adaptive"])
    assert axes.images[0].get_array().filled(-1).tolist() == [[-1, -1, -1, 0.3]]
    assert axes.get_xticklabels()[-1].get_text() == "adaptive steps"


def test_what_today_lacks_is_said_in_its_cell():
    _, axes = plt.subplots()
    cells = [("default", "random", 10, 3, 0.2, 0.3), ("Fourier features", "homotopy", 10, 10, 0.0001, 1.0)]
    columns = ["arm", "method", "n", "solved", "loss", "share"]
    today.panel(axes, pd.DataFrame(cells, columns=columns), ["default", "Fourier features"], METHODS)
    shares = axes.images[0].get_array()
    assert shares.filled(-1).tolist() == [[0.3, -1, -1], [-1, -1, 1]]  # random, warm start, homotopy
    assert [text.get_text() for text in axes.texts] == ["3 of 10\n0.2", "10 of 10\n0.0001", *["not run"] * 4]
