"""The comparison made fair: the homotopy pays for its source solution, in epochs and in time; and the test loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from homotopy.figures import common
from homotopy.library import Place, Result, by_task, count, experiment
from homotopy.statistics import band
from homotopy.timing import seconds_per_epoch, shared_hardware


def _line(axes: Axes, found: Result, x: np.ndarray, metric: str, style: str = "-", label: str | None = None) -> None:
    colour = common.COLOURS[found.config.method.name]
    median, low, high = band(found.table(metric))
    axes.plot(x, median, style, color=colour, label=label)
    if style == "-":
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)


def row(axes: Sequence[Axes], results: Sequence[Result]) -> None:
    """Draw one task: train loss against all epochs, against time, and test loss against all epochs."""
    machine = shared_hardware(results)
    for found in results:
        epochs = found.epochs + found.config.source_epochs
        label = common.LABELS[found.config.method.name]
        _line(axes[0], found, epochs, "target_loss", label=label)
        if machine:
            _line(axes[1], found, epochs * seconds_per_epoch(found, machine), "target_loss")
        _line(axes[2], found, epochs, "test_loss")
        _line(axes[2], found, epochs, "target_loss", ":")
    axes[0].set_ylabel(rf"$\omega = {results[0].config.task.omega:g}$, {count(results)}" + "\nloss on the target")
    axes[0].set(xlabel="epochs, those for the source included", yscale="log", title="train loss")
    axes[1].set(xlabel="seconds per run, source included", title="train loss")
    axes[2].set(xlabel="epochs, those for the source included", title="test loss (train loss dotted)")
    if not machine:
        axes[1].text(0.5, 0.5, "no machine ran all methods", transform=axes[1].transAxes, ha="center", fontsize=7)


def draw(place: Place) -> list[Path]:
    """Draw a row of panels for each task of fig1."""
    tasks = by_task(experiment("fig1", place))
    figure, axes = common.subplots(columns=3, rows=len(tasks), height=2.2, sharey=True)
    for i, results in enumerate(tasks):
        row(axes[3 * i : 3 * i + 3], results)
    common.legend(figure, axes[0])
    return common.save(figure, place.figures / "fair")
