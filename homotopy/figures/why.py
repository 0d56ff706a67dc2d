"""What happens while networks train at omega 137: periods, dead units, ends of steps, curvature, amplitude."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from homotopy.figures import common, ends, looks
from homotopy.figures.tables import read
from homotopy.results.library import Place
from homotopy.results.methods import LABELS, METHODS
from homotopy.training.why import TABLES, file

SHOWN = (*METHODS, "amplitude", "frequency")
PATHS = ("homotopy", "amplitude", "frequency")  # with steps of lam
Tables = Mapping[str, pd.DataFrame]


def draw(place: Place) -> list[Path]:
    """Draw six panels of medians over seeds with quartiles, a line per method.

    Where a step begins, in (d), there are medians alone, and (c) has the seeds.
    """
    epochs, stations = (tables(place, name) for name in TABLES)
    figure, axes = common.subplots(columns=3, rows=2, height=2.3)
    fitted(axes[0], epochs)
    dead(axes[1], epochs)
    fate(axes[2], epochs, first_step(stations))
    steps(axes[3], stations)
    curvature(axes[4], stations)
    amplitude(axes[5], epochs)
    common.legend(figure, axes[0])
    n = epochs["homotopy"]["seed"].nunique()
    common.caption(figure, f"median and quartiles over n = {n} seeds; docs/why.md says how each quantity is measured")
    return common.save(figure, place.figures / "why")


def tables(place: Place, name: str) -> Tables:
    """Return one of the tables that `homotopy.training.why` makes, by method; ResultError says how to make it."""
    return {method: read(place, str(file(Path(), method, name)), "why") for method in SHOWN}


def fitted(axes: Axes, epochs: Tables) -> None:
    """Draw the share of the present problem's periods that are fitted, against epochs."""
    for method, seen in epochs.items():
        _line(axes, seen["epoch"], seen["fitted"] / seen["periods"], method)
    axes.set(title="(a) periods fitted, share", xlabel="epochs", ylim=(-0.03, 1.03))


def dead(axes: Axes, epochs: Tables) -> None:
    """Draw the share of dead hidden units against epochs, from the first on a logarithmic axis."""
    for method, seen in epochs.items():
        seen = seen[seen["epoch"] > 0]
        _line(axes, seen["epoch"], seen["dead"], method)
    axes.set(title="(b) dead units, share", xlabel="epochs", xscale="log")


def first_step(stations: Tables) -> int:
    """Return the epoch at which the paths' first step of lam ends."""
    return int(min(stations[method]["epoch"].min() for method in PATHS))


def fate(axes: Axes, epochs: Tables, early: int) -> None:
    """Draw for each seed what is fitted at the end against the share of dead units at the end of the first step."""
    for method, seen in epochs.items():
        found = relation(seen, early)
        ends.dots(axes, found["dead"].to_numpy(), found["fitted"].to_numpy(), method)
    axes.set(title="(c) fitted at the end", xlabel=f"dead units, epoch {early}", ylim=(-0.03, 1.03))


def relation(seen: pd.DataFrame, early: int) -> pd.DataFrame:
    """Return each seed's share of `dead` units at the epoch `early`, and of periods `fitted` at the end."""
    last = at_the_end(seen)
    then = seen[seen["epoch"] <= early].groupby("seed").last()
    return pd.DataFrame({"dead": then["dead"], "fitted": last["fitted"] / last["periods"]})


def at_the_end(seen: pd.DataFrame) -> pd.DataFrame:
    """Return what was seen at the last epoch, a row per seed."""
    return seen[seen["epoch"] == seen["epoch"].max()].set_index("seed")


def steps(axes: Axes, stations: Tables) -> None:
    """Draw H(., lam) where a step begins (dotted) and where it ends, against the epoch at which it ends."""
    for method in PATHS:
        rows = stations[method][stations[method]["phase"] == "step"]
        jumps = rows.groupby("epoch")["jump"].median()
        axes.plot(jumps.index, jumps, ":", color=looks.COLOURS[method], linewidth=1)
        _line(axes, rows["epoch"], rows["loss"], method)
    axes.set(title=r"(d) $H$ as steps begin, end", xlabel="epochs", yscale="log")


def curvature(axes: Axes, stations: Tables) -> None:
    """Draw the Hessian's smallest eigenvalue where lam may change, and at the end."""
    for method, rows in stations.items():
        _line(axes, rows["epoch"], rows["mu"], method)
    axes.set(title=r"(e) least eigenvalue of $\nabla^2 H$", xlabel="epochs")
    axes.set_yscale("symlog", linthresh=0.01)


def amplitude(axes: Axes, epochs: Tables) -> None:
    """Draw the amplitude of the network's output at the target's omega, against epochs; 1 is the target's."""
    for method, seen in epochs.items():
        _line(axes, seen["epoch"], seen["amplitude_omega"], method)
    axes.set(title=r"(f) amplitude at $\omega$", xlabel="epochs", ylim=(-0.03, 1.03))


def _line(axes: Axes, epochs: pd.Series, values: pd.Series, method: str) -> None:
    grouped = values.groupby(epochs)
    band = tuple(grouped.quantile(q) for q in (0.5, 0.25, 0.75))
    look = {"colour": looks.COLOURS[method], "linestyle": looks.DASHES[method], "label": LABELS[method]}
    common.line(axes, band[0].index, band, **look)  # type: ignore[arg-type]
