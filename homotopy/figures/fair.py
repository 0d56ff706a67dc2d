"""The comparison made fair: the homotopy pays for its source solution, in epochs and in time; and the test loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from homotopy.figures import common, looks, names
from homotopy.figures.fig1 import SMOOTH, running, smoothed
from homotopy.results.library import Place, Result, by_task, count, experiment
from homotopy.results.methods import LABELS
from homotopy.results.timing import seconds_per_epoch, shared_hardware

METRICS = {"target_loss": "train loss", "test_loss": "test loss"}


def panel(axes: Axes, results: list[Result], metric: str) -> dict[str, Line2D]:
    """Draw the medians and quartiles against all epochs, those of the source solution included."""
    drawn = {}
    for found in results:
        method, epochs = found.config.method.name, found.epochs + found.config.source_epochs
        median, low, high = (running(values, SMOOTH) for values in found.band(metric))
        axes.fill_between(epochs, low, high, color=looks.COLOURS[method], alpha=0.18, linewidth=0)
        drawn[LABELS[method]] = common.median(axes, epochs, median, method)
    axes.set(yscale="log", xlim=(0, max(r.config.epochs + r.config.source_epochs for r in results)))
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.grid(axis="x", visible=False)
    return drawn


def time(axes: Axes, results: list[Result]) -> None:
    """Write above what the epochs take on the machine that has run all methods, if there is one."""
    machine = shared_hardware(results)
    if machine is None:
        axes.set_title("no machine ran all methods", fontsize=common.SMALL, color=common.GREY)
        return
    each = seconds_per_epoch(results, machine)

    def seconds(epochs: Any) -> Any:
        return epochs * each

    def epochs(seconds: Any) -> Any:
        return seconds / each

    above = axes.secondary_xaxis("top", functions=(seconds, epochs))
    above.set_xlabel("seconds per run", fontsize=common.SMALL)
    above.xaxis.set_major_locator(MaxNLocator(4))


def draw(place: Place) -> list[Path]:
    """Draw a column of panels for each task of fig1: train loss, with the time above, and test loss."""
    columns = by_task(experiment("fig1", place))
    figure, axes = common.subplots(columns=len(columns), rows=2, height=2.1, sharex="col", sharey=True)
    panels = [(ax, metric) for ax, metric in zip(axes, [m for m in METRICS for _ in columns], strict=True)]
    drawn = [panel(ax, columns[i % len(columns)], metric) for i, (ax, metric) in enumerate(panels)]
    for i, results in enumerate(columns):
        axes[i].set_title(f"{results[0].config.task.title}, {count(results)}", pad=8)
        time(axes[i], results)
        axes[i + len(columns)].set_xlabel("epochs, source included")
    for row, text in enumerate(METRICS.values()):
        axes[row * len(columns)].set_ylabel(f"{text} on the target\n(median, quartiles)")
    common.caption(figure, f"each curve as a {smoothed(columns[0][0])}")
    names.at_lines(figure, list(zip(axes, drawn, strict=True)))
    return common.save(figure, place.figures / "fair")
