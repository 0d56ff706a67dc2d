"""The grid over omega and gamma: warm start's settled loss over the homotopy's, at equal epochs, on the same seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.ticker import FuncFormatter

from homotopy.errors import ResultError
from homotopy.figures import common, looks
from homotopy.results.intervals import ratio_of_medians
from homotopy.results.library import Place, Result, experiment, missing

_COLOURS = LinearSegmentedColormap.from_list("lower", [looks.VERMILLION, "white", looks.BLUE])


def _settled(found: Result) -> pd.Series:
    """Return each seed's settled loss on the target by its seed."""
    return pd.Series(found.settled("target_loss"), index=np.sort(found.curves["seed"].unique()))


def ratios(found: list[Result]) -> pd.DataFrame:
    """Return omega, gamma, median(warm start)/median(homotopy), low and high of its 95 % interval, and n.

    Both medians are those of the n seeds that both have, no row where they share none; warm start is gamma = 1.
    """
    warm = {r.config.task.omega: _settled(r) for r in found if r.config.method.name == "warmstart"}
    cells = []
    for r in found:
        if r.config.method.name == "homotopy":
            pairs = pd.concat([warm[r.config.task.omega], _settled(r)], axis=1, join="inner").to_numpy()
            if not len(pairs):
                continue
            over, under = pairs.T
            interval = ratio_of_medians(under[None], over[None, None])
            cells.append((r.config.task.omega, r.config.schedule.gamma, *interval))
    return pd.DataFrame(cells, columns=["omega", "gamma", "ratio", "low", "high", "n"])


def _digits(value: float) -> str:
    """Write a ratio with two digits, without an exponent."""
    return f"{value:.0f}" if value >= 9.5 else f"{value:.2g}"


def _cell(axes: Axes, x: int, y: int, cell: pd.Series, show_n: bool) -> None:
    dark = abs(np.log10(cell["ratio"])) > 1.2
    colour = "white" if dark else "black"
    axes.text(x, y, _digits(cell["ratio"]), ha="center", va="bottom", color=colour, fontsize=9)
    below = f"{_digits(cell['low'])} to {_digits(cell['high'])}" + (f"\nn = {cell['n']:.0f}" if show_n else "")
    axes.text(x, y - 0.05, below, ha="center", va="top", color=colour, fontsize=5.5)


def draw(place: Place) -> list[Path]:
    """Draw the grid; blue where the homotopy ends below warm start, vermillion where above."""
    found = experiment("omega_gamma", place)
    if {"warmstart", "homotopy"} - {r.config.method.name for r in found}:
        raise missing("omega_gamma", place, found)
    table = ratios(found)
    if table.empty:
        raise ResultError(f"omega_gamma: no seed has both methods yet; go on with: {place.command('omega_gamma')}")
    omegas, gammas = (sorted(table[key].unique()) for key in ("omega", "gamma"))
    grid = table.pivot(index="omega", columns="gamma", values="ratio").to_numpy()
    finite = grid[np.isfinite(grid) & (grid > 0)]
    reach = max(float(np.exp(np.abs(np.log(finite)).max(initial=0.0))), 1.3)
    figure, (axes,) = common.subplots(height=2.9)
    image = axes.imshow(grid, cmap=_COLOURS, norm=LogNorm(1 / reach, reach), aspect="auto", origin="lower")
    counts = table["n"].tolist()
    for _, cell in table.iterrows():
        _cell(axes, gammas.index(cell["gamma"]), omegas.index(cell["omega"]), cell, min(counts) != max(counts))
    axes.set_xticks(range(len(gammas)), [f"{gamma:g}" for gamma in gammas])
    axes.set_yticks(range(len(omegas)), [f"{omega:g}" for omega in omegas])
    axes.grid(False)
    axes.set(xlabel=r"steps $\gamma$ (equal epochs in all)", ylabel=r"$\omega$ (rad)")
    title = "median settled loss of warm start over the homotopy's, with 95 % intervals"
    axes.set_title(f"{title}, n = {counts[0]:.0f}" if min(counts) == max(counts) else title, pad=8)
    bar = figure.colorbar(image, ax=axes, format=FuncFormatter(lambda value, _: f"{value:g}"))
    bar.ax.set_ylim(min(finite.min(initial=1.0), 1 / 1.3), max(finite.max(initial=1.0), 1.3))
    bar.ax.minorticks_off()
    bar.set_label(r"above 1: the homotopy ends lower $\rightarrow$", fontsize=common.SMALL)
    return common.save(figure, place.figures / "omega_gamma")
