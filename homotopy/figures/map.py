"""The map: every plain setting of what the paper leaves unstated, and how the methods end in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from homotopy import markdown
from homotopy.figures import common, ends
from homotopy.results.files import write_atomic, write_csv
from homotopy.results.library import Library, Place, Result, count, missing
from homotopy.results.methods import BASELINES, LABELS, METHODS
from homotopy.results.statistics import median, ratio

OMEGAS = (74.0, 137.0)
MARGIN = 1.25  # of medians: below it two methods end alike


_QUIET: dict[str, Any] = {"fontsize": common.SMALL, "color": common.GREY}


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


def table(found: list[Result]) -> pd.DataFrame:
    """Return a row per setting: at both omegas the methods' median settled losses, and the homotopy's lead.

    The lead is the better baseline's median over the homotopy's, nan where a method was not run.
    """
    rows = []
    for setting, by_omega in settings(found).items():
        row: dict[str, Any] = setting._asdict()
        for omega in OMEGAS:
            medians = {name: float(median(r.settled("target_loss"))) for name, r in by_omega.get(omega, {}).items()}
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
    """Draw every seed's settled loss on one of the tasks, a band for each setting, and a bar at each median."""
    for i, by_omega in enumerate(by_setting):
        if i % 2 == 0:
            axes.axhspan(i - 0.5, i + 0.5, color="0.94", linewidth=0, zorder=0)
        if omega not in by_omega:
            axes.text(0.5, i, "not run", transform=axes.get_yaxis_transform(), ha="center", va="center", **_QUIET)
            continue
        for method, shift in zip(METHODS, (-0.27, 0, 0.27), strict=True):
            losses = by_omega[omega][method].settled("target_loss")
            ends.dots(axes, losses, np.full(len(losses), i + shift), method, LABELS[method])
            axes.vlines(np.median(losses), i + shift - 0.15, i + shift + 0.15, color="black", linewidth=0.9, zorder=3)
    axes.set(xscale="log", ylim=(len(by_setting) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)


def ordered(found: list[Result]) -> dict[Setting, dict[float, dict[str, Result]]]:
    """Sort as `settings`, an initialisation's settings side by side, in the order in which they come."""
    by_setting = settings(found)
    inits = list(dict.fromkeys(setting.init for setting in by_setting))
    return dict(sorted(by_setting.items(), key=lambda item: (inits.index(item[0].init), item[0][1:])))


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
    by_setting = ordered(found)
    omegas = [omega for omega in OMEGAS if any(omega in by_omega for by_omega in by_setting.values())]
    height = 0.8 + 0.26 * len(by_setting)
    figure, axes = common.subplots(columns=len(omegas), height=height, sharey=True, sharex=True)
    for ax, omega in zip(axes, omegas, strict=True):
        panel(ax, list(by_setting.values()), omega)
        there = [r for r in found if r.config.task.omega == omega and r.seeds]
        ax.set_title(rf"$\omega = {omega:g}$ rad, {count(there)}")
    axes[0].set_yticks(range(len(by_setting)), [_name(setting) for setting in by_setting], fontsize=common.SMALL)
    figure.supxlabel("settled train loss on the target: every seed, and bars at the medians", fontsize=8)
    common.legend(figure, axes[0])
    return common.save(figure, place.figures / "map")


def _name(setting: Setting) -> str:
    init = setting.init.split("_")[0].replace("pytorch", "PyTorch").replace("glorot", "Glorot").replace("he", "He")
    return rf"{init}, $\sigma$ = {setting.noise:g}, batch {setting.batch_size}"
