"""What happens while networks train at omega 137: what they fit and where, dead units, and the way of theta."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from homotopy.figures import common
from homotopy.figures.tables import read
from homotopy.results.library import Place
from homotopy.results.methods import LABELS
from homotopy.training.why import TABLES, file

METHODS = ("random", "warmstart", "homotopy", "amplitude", "frequency")


def draw(place: Place) -> list[Path]:
    """Draw medians over seeds with quartiles, a line per method."""
    epochs, stations = (
        {method: read(place, str(file(Path(), method, table)), "why") for method in METHODS} for table in TABLES
    )
    figure, axes = common.subplots(columns=3, rows=2, height=2.2)
    for method in METHODS:
        looks = epochs[method]
        looks = looks[looks["epoch"] > 0]
        for axis, values in zip(
            axes[:4],
            (looks["fitted"] / looks["periods"], looks["dead"], looks["dead_most"], looks["amplitude_omega"]),
            strict=True,
        ):
            _line(axis, looks["epoch"], values, method)
        steps = stations[method][stations[method]["phase"] == "step"]
        _line(axes[4], steps["epoch"], steps["loss"], method)
        _line(axes[5], steps["epoch"], steps["mu"], method)
    _name(axes)
    common.legend(figure, axes[0])
    n = epochs["homotopy"]["seed"].nunique()
    common.caption(figure, f"median and quartiles over n = {n} seeds; docs/why.md says how each quantity is measured")
    return common.save(figure, place.figures / "why")


def _line(axes: Axes, epochs: pd.Series, values: pd.Series, method: str) -> None:
    grouped = values.groupby(epochs)
    band = tuple(grouped.quantile(q) for q in (0.5, 0.25, 0.75))
    common.line(axes, band[0].index, band, colour=common.COLOURS[method], label=LABELS[method])  # type: ignore[arg-type]


def _name(axes: list[Axes]) -> None:
    titles = (
        "(a) periods fitted, share", "(b) dead units, share", "(c) dead units of the worst layer",
        r"(d) output's amplitude at $\omega$", r"(e) loss $H(\theta, \lambda)$ at steps' ends",
        "(f) Hessian's least eigenvalue",
    )  # fmt: skip
    for axis, title in zip(axes, titles, strict=True):
        axis.set(title=title, xlabel="epochs")
    for axis in axes[:3]:
        axis.set_ylim(-0.03, 1.03)
    axes[4].set_yscale("log")
    axes[5].set_yscale("symlog", linthresh=0.01)
