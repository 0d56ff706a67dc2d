"""Figure 3: from MNIST to another set of images, loss and accuracy against epochs, a line per method."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from homotopy.figures import common
from homotopy.figures.fig1 import panel
from homotopy.figures.origins import origins
from homotopy.results.library import Place, Result, count, experiment
from homotopy.results.statistics import band


def accuracy(axes: Axes, results: list[Result]) -> None:
    """Draw each method's accuracy on the target's test images."""
    for found in results:
        colour = common.COLOURS[found.config.method.name]
        common.line(axes, found.epochs, band(found.table("accuracy")), colour=colour)
    axes.set(title="test accuracy", xlabel="epochs")


def caption(results: list[Result]) -> str:
    """Say what was trained, on which images, on which of them losses were measured, and where the data came from."""
    task, model = results[0].config.task, results[0].config.model
    trained = f"{task.samples:,} training images" if task.samples else "all training images"
    measured = f"the same {task.evaluated:,} of the target's" if task.evaluated else "all of the target's"
    tested = f"{task.test_samples:,} test images" if task.test_samples else "all test images"
    network = f"channels {'; '.join(', '.join(map(str, stage)) for stage in model.stages)}"
    network += ", batch norm" if model.batch_norm else ""
    lines = [
        f"{trained} of each data set per seed; losses after an epoch on {measured}, accuracy on {tested}",
        f"VGG-type network, {network}; batch {results[0].config.batch_size}",
        "; ".join(origins([data for found in results for data in found.data])),
    ]
    return "\n".join(lines)


def draw(name: str, place: Place) -> list[Path]:
    """Draw experiment fig3a or fig3b."""
    results = experiment(name, place)
    figure, (left, right) = common.subplots(columns=2, height=2.8)
    panel(left, results, f"{results[0].config.task.title}, {count(results)}")
    left.set_ylabel("train loss on the target\n(median, quartiles)")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    common.legend(figure, left)
    accuracy(right, results)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    common.caption(figure, caption(results))
    return common.save(figure, place.figures / name)
