"""The comparison made fair: what the curves are drawn against, and what a figure of all of it shows."""

from __future__ import annotations

import numpy as np

from homotopy.figures import common, fair
from homotopy.results.library import by_task, count, experiment
from homotopy.results.methods import LABELS


def test_a_method_that_starts_from_the_source_pays_for_it_in_epochs(place):
    results = by_task(experiment("fig1", place))[0]
    _, (axes,) = common.subplots()
    drawn = fair.panel(axes, results, "target_loss")
    for found in results:
        paid = 0 if found.config.method.name == "random" else found.config.budget.source
        assert drawn[LABELS[found.config.method.name]].get_xdata().tolist() == [1 + paid, found.config.epochs + paid]
    assert axes.get_xlim()[1] == max(found.config.epochs + found.config.budget.source for found in results)


def test_the_test_loss_is_drawn_below_the_train_loss(place, monkeypatch):
    seen = []
    monkeypatch.setattr(fair, "SMOOTH", 1)
    monkeypatch.setattr(common, "save", lambda figure, path: seen.append(figure) or [path])
    fair.draw(place)
    above, below = (seen[0].axes[i] for i in (0, 2))  # a row for each metric, a column for each of two tasks
    train, test = (ax.lines[-1].get_ydata() for ax in (above, below))
    np.testing.assert_allclose(test, 2 * train)  # as the runs were made up
    assert count(by_task(experiment("fig1", place))[0]) in above.get_title()
