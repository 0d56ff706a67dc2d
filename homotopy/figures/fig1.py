"""Figures 1, 2b and 8: median train loss against epochs, a panel per task and a line per method."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes

from homotopy.figures import common
from homotopy.results.library import Place, Result, count, tasks
from homotopy.results.methods import LABELS
from homotopy.results.statistics import band


def panel(axes: Axes, results: list[Result], title: str) -> None:
    """Draw the loss on the target of each method; for the homotopy also, dotted, the objective it works on."""
    for found in results:
        method = found.config.method.name
        colour = common.COLOURS[method]
        common.line(axes, found.epochs, band(found.table("target_loss")), colour=colour, label=LABELS[method])
        if found.config.method.path == "schedule":
            objective, _, _ = band(found.table("train_loss"))
            axes.plot(found.epochs, objective, ":", color=colour, linewidth=0.9, label=r"$H(\theta, \lambda)$ of it")
    axes.set(title=title, xlabel="epochs", yscale="log")


def draw(name: str, place: Place) -> list[Path]:
    """Draw the curves of experiment `name`, a panel per task in the experiment's order."""
    panels, note = tasks(name, place)
    figure, axes = common.subplots(columns=len(panels), sharey=True)
    for ax, results in zip(axes, panels, strict=True):
        panel(ax, results, f"{results[0].config.task.title}, {count(results)}")
    axes[0].set_ylabel("train loss on the target\n(median, quartiles)")
    common.legend(figure, axes[0])
    common.caption(figure, note)
    return common.save(figure, place.figures / name)
