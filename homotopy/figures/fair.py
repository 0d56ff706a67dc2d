"""The comparison made fair: the homotopy pays for its source solution, in epochs and in time; and the test loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from homotopy.figures import common
from homotopy.results.library import Place, Result, by_task, count, experiment
from homotopy.results.methods import LABELS
from homotopy.results.statistics import band
from homotopy.results.timing import seconds_per_epoch, shared_hardware


def row(axes: Sequence[Axes], results: Sequence[Result]) -> None:
    """Draw one task: train loss against all epochs, against time, and test loss against all epochs."""
    machine = shared_hardware(results)
    seconds = seconds_per_epoch(results, machine) if machine else None
    for found in results:
        epochs = found.epochs + found.config.source_epochs
        colour, label = common.COLOURS[found.config.method.name], LABELS[found.config.method.name]
        train, test = (band(found.table(metric)) for metric in ("target_loss", "test_loss"))
        common.line(axes[0], epochs, train, colour=colour, label=label)
        if seconds:
            common.line(axes[1], epochs * seconds, train, colour=colour)
        common.line(axes[2], epochs, test, colour=colour)
        axes[2].plot(epochs, train[0], ":", color=colour)
    axes[0].set_ylabel(rf"$\omega = {results[0].config.task.omega:g}$, {count(results)}" + "\nloss on the target")
    axes[0].set(xlabel="epochs, source included", yscale="log", title="train loss")
    axes[1].set(xlabel="seconds per run, source included", title="train loss")
    axes[2].set(xlabel="epochs, source included", title="test loss (train loss dotted)")
    if not seconds:
        axes[1].text(0.5, 0.5, "no machine ran all methods", transform=axes[1].transAxes, ha="center", fontsize=7)


def draw(place: Place) -> list[Path]:
    """Draw a row of panels for each task of fig1."""
    tasks = by_task(experiment("fig1", place))
    figure, axes = common.subplots(columns=3, rows=len(tasks), height=2.2, sharey=True)
    for i, results in enumerate(tasks):
        row(axes[3 * i : 3 * i + 3], results)
    common.legend(figure, axes[0])
    return common.save(figure, place.figures / "fair")
