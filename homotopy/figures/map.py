"""The map of unstated settings: every setting's final losses, and its points by the rule in `homotopy.selection`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from homotopy import markdown
from homotopy.figures import common
from homotopy.report.map import ALIKE, OMEGAS, MedianCurve, points, score, winner
from homotopy.results.files import write_atomic, write_csv
from homotopy.results.library import Place, Result, count, experiment
from homotopy.results.methods import BASELINES, LABELS, METHODS
from homotopy.results.statistics import band


class Setting(NamedTuple):
    """One choice of what the paper leaves unstated."""

    init: str
    noise: float
    batch_size: int


def settings(found: list[Result]) -> dict[Setting, dict[float, dict[str, Result]]]:
    """Sort the map's results: setting -> omega -> method -> result."""
    sorted_: dict[Setting, dict[float, dict[str, Result]]] = {}
    for r in found:
        setting = Setting(r.config.model.init, r.config.task.noise, r.config.batch_size)
        sorted_.setdefault(setting, {}).setdefault(r.config.task.omega, {})[r.config.method.name] = r
    return sorted_


def median_curve(found: Result) -> MedianCurve:
    """Return a result's median loss on the target against epochs."""
    return MedianCurve(found.epochs, band(found.table("target_loss"))[0])


def table(found: list[Result]) -> pd.DataFrame:
    """Return a row per setting: final medians at both omegas, points of each comparison, score, and the winner."""
    rows, scores = [], []
    for setting, by_omega in settings(found).items():
        curves = {omega: {name: median_curve(r) for name, r in methods.items()} for omega, methods in by_omega.items()}
        scores.append(score(curves))
        row = {**setting._asdict(), "points": scores[-1][0], "advantage": scores[-1][1]}
        for omega in OMEGAS:
            for name in METHODS:
                row[f"{name} {omega:g}"] = curves[omega][name].loss[-1] if omega in curves else np.nan
            for name in BASELINES:
                has = omega in curves
                row[f"points {name} {omega:g}"] = (
                    points(curves[omega]["homotopy"], curves[omega][name]) if has else np.nan
                )
        rows.append(row)
    chosen = winner(scores)
    return pd.DataFrame(rows).assign(chosen=[i == chosen for i in range(len(rows))])


def text(summary: pd.DataFrame) -> str:
    """Return the table for readers, and in how many settings each comparison is won."""
    losses = {f"{m} {omega:g}": f"{LABELS[m]}, {omega:g}" for omega in OMEGAS for m in METHODS}
    lines = []
    for _, row in summary.iterrows():
        shown = ["not run" if np.isnan(row[column]) else f"{row[column]:.2g}" for column in losses]
        mark = " (chosen)" if row["chosen"] else ""
        lines.append([row["init"], f"{row['noise']:g}", f"{row['batch_size']}", *shown, f"{row['points']:g}{mark}"])
    head = ["initialisation", "noise", "batch", *losses.values(), "points of 4"]
    counts = [_count_won(summary, name, omega) for omega in OMEGAS for name in BASELINES]
    return markdown.table(head, lines) + "\n" + "".join(counts)


def _count_won(summary: pd.DataFrame, baseline: str, omega: float) -> str:
    found = summary[f"points {baseline} {omega:g}"].dropna()
    won, first = int((found == 1).sum()), int((found == 0.5).sum())
    return (
        f"- omega {omega:g}: the homotopy ends below {LABELS[baseline]} by a factor of {ALIKE:g} or more in {won} of "
        f"{len(found)} settings; alike, but there first, in {first}.\n"
    )


def panel(axes: Axes, by_setting: list[dict[float, dict[str, Result]]], omega: float) -> None:
    """Draw every seed's final loss on one of the tasks, a row for each setting."""
    for method, shift in zip(METHODS, (-0.25, 0, 0.25), strict=True):
        finals = [
            (i + shift, loss)
            for i, by_omega in enumerate(by_setting)
            if omega in by_omega
            for loss in by_omega[omega][method].final("target_loss")
        ]
        rows, losses = np.array(finals).T
        colour, label = common.COLOURS[method], LABELS[method]
        axes.plot(losses, rows, "o", markersize=3, alpha=0.8, color=colour, label=label)
    axes.set(xscale="log", xlabel="final train loss on the target, each seed")


def draw(place: Place) -> list[Path]:
    """Draw the final losses of every setting and write the table as CSV and Markdown beside the figures."""
    found = experiment("map", place)
    summary = table(found)
    tables = place.figures if place.overrides else place.folder / "map"
    write_csv(tables / "map.csv", summary)
    write_atomic(tables / "map.md", text(summary).encode())
    by_setting = settings(found)
    omegas = [omega for omega in OMEGAS if any(omega in by_omega for by_omega in by_setting.values())]
    figure, axes = common.subplots(columns=len(omegas), height=3.2, sharey=True, sharex=True)
    for ax, omega in zip(axes, omegas, strict=True):
        panel(ax, list(by_setting.values()), omega)
        ax.set_title(rf"$\omega = {omega:g}$ rad, {count([r for r in found if r.config.task.omega == omega])}")
    short = [f"{s.init.replace('_', ' ')}\nnoise {s.noise:g}, batch {s.batch_size}" for s in by_setting]
    axes[0].set_yticks(range(len(short)), short, fontsize=6)
    axes[0].invert_yaxis()
    axes[-1].legend(loc="lower right")
    return common.save(figure, place.figures / "map")
