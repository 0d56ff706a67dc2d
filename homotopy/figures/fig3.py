"""Figure 3: from MNIST to another set of images, loss and accuracy against epochs, every seed and the medians."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from homotopy.figures import common, ends, names
from homotopy.figures.fig1 import curves, path
from homotopy.figures.origins import origins, remarks
from homotopy.results import images
from homotopy.results.library import Place, Result, count, experiment
from homotopy.results.methods import LABELS

SETTLED = 5  # epochs, as rules.yaml has it for claims on images; of runs shorter than 25 a fifth


def panel(axes: Axes, strip: Axes, results: list[Result], metric: str) -> dict[str, Line2D]:
    """Draw a metric after every epoch, lam over the path, and the strip of its settled ends; return the medians."""
    drawn = curves(axes, results, metric)
    path(axes, results)
    strip.sharey(axes)
    ends.strip(strip, results, metric, last=SETTLED)
    return drawn


def after_the_path(results: list[Result], metric: str) -> tuple[float, float]:
    """Return limits for an axis that hold all values since the homotopy's path has ended, the last ones at least."""
    start = max(min(found.config.steps()[-1].epochs.start, found.config.epochs) for found in results)
    shown = np.concatenate([found.table(metric)[:, found.epochs >= start].ravel() for found in results])
    shown = shown[np.isfinite(shown)]
    margin = 0.08 * (shown.max() - shown.min()) + 1e-3
    return shown.min() - margin, shown.max() + margin


def about(results: list[Result]) -> str:
    """Say what was trained, on which images, on which of them losses were measured, and where the data came from."""
    configs = [found.config for found in results]
    task, model = configs[0].task, configs[0].model
    trained = f"{task.samples:,} training images" if task.samples else "all training images"
    measured = f"the same {task.evaluated:,} of the target's" if task.evaluated else "all of the target's"
    tested = f"{task.test_samples:,} test images" if task.test_samples else "all test images"
    network = f"{images.network(configs[0])}, channels {'; '.join(', '.join(map(str, s)) for s in model.stages)}"
    network += ", batch norm" if model.batch_norm else ""
    methods = "; ".join(f"{LABELS[each.method.name]}: {images.setting(each)}" for each in configs)
    return "\n".join(
        [
            f"{trained} of each data set per seed; losses after an epoch on {measured}, accuracy on {tested}",
            f"{network}, initialisation {model.init}; {methods}",
            "; ".join(origins(_data(results))),
        ]
    )


def _data(results: list[Result]) -> list[dict]:
    return [data for found in results for data in found.data]


def draw(name: str, place: Place) -> list[Path]:
    """Draw experiment fig3a or fig3b; the accuracy's axis begins where the path has ended, that differences be seen."""
    results = experiment(name, place)
    figure, axes = common.subplots(columns=4, height=2.5, width_ratios=[4, 1.1, 4, 1.1])
    drawn = [panel(axes[0], axes[1], results, "target_loss"), panel(axes[2], axes[3], results, "accuracy")]
    axes[0].set(yscale="log", ylabel="train loss on the target")
    axes[2].set(ylabel="test accuracy", ylim=after_the_path(results, "accuracy"))
    axes[0].set_title(f"{results[0].config.task.title}, {count(results)}", pad=11)
    axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[0].yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    common.caption(figure, "; ".join(remarks(_data(results))))
    names.at_lines(figure, list(zip(axes[::2], drawn, strict=True)))
    return common.save(figure, place.figures / name, about(results))
