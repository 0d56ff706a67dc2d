"""Figure 3: from MNIST to another set of images, loss and accuracy against epochs, a line per method."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter

from homotopy.figures import common
from homotopy.figures.curves import panel
from homotopy.figures.loading import Place, Result, band, count, experiment
from homotopy.results import RunFolder


def accuracy(axes: Axes, results: list[Result]) -> None:
    """Draw each method's accuracy on the target's test images."""
    for found in results:
        median, low, high = band(found.table("accuracy"))
        colour = common.COLOURS[found.config.method.name]
        axes.plot(found.epochs, median, color=colour)
        axes.fill_between(found.epochs, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.set(title="test accuracy", xlabel="epochs")


def caption(results: list[Result]) -> str:
    """Say what was trained on and measured, and which data are not the official ones."""
    task = results[0].config.task
    trained = f"{task.samples:,} training images" if task.samples else "all training images"
    measured = f"{task.evaluated:,} of them" if task.evaluated else "all of them"
    lines = [f"{trained} of each data set per seed; losses after an epoch on {measured}", *sorted(_notes(results))]
    return "\n".join(lines)


def _notes(results: list[Result]) -> set[str]:
    records = [record for found in results for record in RunFolder(found.config.folder).metadata().get("records", [])]
    sources = [source for record in records for source in record.get("data", [])]
    return {f"{source['name']}: {source['note']}" for source in sources if source["note"]}


def draw(name: str, place: Place) -> list[Path]:
    """Draw experiment fig3a or fig3b."""
    results = experiment(name, place)
    figure, (left, right) = common.subplots(columns=2)
    panel(left, results, f"{results[0].config.task.title}, {count(results)}")
    left.set_ylabel("train loss on the target\n(median, quartiles)")
    left.yaxis.set_major_formatter(LogFormatter())
    left.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    left.legend()
    accuracy(right, results)
    figure.supxlabel(caption(results), fontsize=6)
    return common.save(figure, place.figures / name)
