"""The map: every plain setting of what the paper leaves unstated, and how the methods end in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from homotopy import markdown
from homotopy.figures import common
from homotopy.results.files import write_atomic, write_csv
from homotopy.results.library import Library, Place, Result, count, missing
from homotopy.results.methods import BASELINES, LABELS, METHODS
from homotopy.results.statistics import median, ratio, settled

OMEGAS = (74.0, 137.0)
MARGIN = 1.25  # of medians: below it two methods end alike


class Setting(NamedTuple):
    """One choice of what the paper leaves unstated."""

    init: str
    noise: float
    batch_size: int


def settings(found: list[Result]) -> dict[Setting, dict[float, dict[str, Result]]]:
    """Sort the map's results: setting -> omega -> method -> result, each omega where all three methods were run."""
    sorted_: dict[Setting, dict[float, dict[str, Result]]] = {}
    for r in found:
        setting = Setting(r.config.model.init, r.config.task.noise, r.config.batch_size)
        by_omega = sorted_.setdefault(setting, {})
        if not r.curves.empty:
            by_omega.setdefault(r.config.task.omega, {})[r.config.method.name] = r
    return {
        setting: {omega: methods for omega, methods in by_omega.items() if len(methods) == len(METHODS)}
        for setting, by_omega in sorted_.items()
    }


def settled_losses(found: Result) -> np.ndarray:
    """Return every seed's settled train loss on the target, (seeds,)."""
    return settled(found.epochs, found.table("target_loss"))


def table(found: list[Result]) -> pd.DataFrame:
    """Return a row per setting: at both omegas the methods' median settled losses, and the homotopy's lead.

    The lead is the better baseline's median over the homotopy's, nan where a method was not run.
    """
    rows = []
    for setting, by_omega in settings(found).items():
        row: dict[str, Any] = setting._asdict()
        for omega in OMEGAS:
            medians = {name: float(median(settled_losses(r))) for name, r in by_omega.get(omega, {}).items()}
            row |= {f"{name} {omega:g}": medians.get(name, np.nan) for name in METHODS}
            best = min(row[f"{name} {omega:g}"] for name in BASELINES)
            row[f"lead {omega:g}"] = float(ratio(best, row[f"homotopy {omega:g}"]))
        rows.append(row)
    return pd.DataFrame(rows)


def text(summary: pd.DataFrame) -> str:
    """Return the table for readers, and in how many settings the homotopy leads."""
    columns = {f"{m} {omega:g}": f"{LABELS[m]}, {omega:g}" for omega in OMEGAS for m in METHODS}
    columns |= {f"lead {omega:g}": f"lead, {omega:g}" for omega in OMEGAS}
    lines = []
    for _, row in summary.iterrows():
        shown = ["not run" if np.isnan(row[column]) else f"{row[column]:.2g}" for column in columns]
        lines.append([row["init"], f"{row['noise']:g}", f"{row['batch_size']}", *shown])
    head = ["initialisation", "noise", "batch", *columns.values()]
    return markdown.table(head, lines) + "\n" + "".join(_count_leads(summary, omega) for omega in OMEGAS)


def _count_leads(summary: pd.DataFrame, omega: float) -> str:
    leads = summary[f"lead {omega:g}"].dropna()
    return (
        f"- omega {omega:g}: the homotopy ends below both baselines by a factor of {MARGIN:g} or more in "
        f"{int((leads >= MARGIN).sum())} of {len(leads)} settings.\n"
    )


def panel(axes: Axes, by_setting: list[dict[float, dict[str, Result]]], omega: float) -> None:
    """Draw every seed's settled loss on one of the tasks, a row for each setting."""
    for method, shift in zip(METHODS, (-0.25, 0, 0.25), strict=True):
        finals = [
            (i + shift, loss)
            for i, by_omega in enumerate(by_setting)
            if omega in by_omega
            for loss in settled_losses(by_omega[omega][method])
        ]
        rows, losses = np.array(finals).T
        colour, label = common.COLOURS[method], LABELS[method]
        axes.plot(losses, rows, "o", markersize=3, alpha=0.8, color=colour, label=label)
    axes.set(xscale="log", xlabel="settled train loss on the target, each seed")


def draw(place: Place) -> list[Path]:
    """Draw the settled losses of every setting and write the table as CSV and Markdown beside the figures.

    Raises ResultError if no setting was run at any omega with all methods.
    """
    found = Library(place).results("map")
    if not any(settings(found).values()):
        raise missing("map", place, found)
    summary = table(found)
    tables = place.figures if place.overrides else place.folder / "map"
    write_csv(tables / "map.csv", summary)
    write_atomic(tables / "map.md", text(summary).encode())
    by_setting = settings(found)
    omegas = [omega for omega in OMEGAS if any(omega in by_omega for by_omega in by_setting.values())]
    figure, axes = common.subplots(columns=len(omegas), height=3.2, sharey=True, sharex=True)
    for ax, omega in zip(axes, omegas, strict=True):
        panel(ax, list(by_setting.values()), omega)
        there = [r for r in found if r.config.task.omega == omega and r.seeds]
        ax.set_title(rf"$\omega = {omega:g}$ rad, {count(there)}")
    short = [f"{s.init.replace('_', ' ')}\nnoise {s.noise:g}, batch {s.batch_size}" for s in by_setting]
    axes[0].set_yticks(range(len(short)), short, fontsize=6)
    axes[0].invert_yaxis()
    axes[-1].legend(loc="lower right")
    return common.save(figure, place.figures / "map")
