"""What people would do today: of every arm of experiment=today how many seeds solve the task, and their median loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from homotopy.figures import common, ends
from homotopy.results.library import Library, Place, missing, span
from homotopy.results.methods import LABELS, METHODS
from homotopy.results.solved import arm, table
from homotopy.results.summary import in_digits


def draw(place: Place) -> list[Path]:
    """Draw a row for each arm and a column for each method, at each omega; the colour is the share that solve it.

    Raises ResultError if nothing was run.
    """
    asked = Library(place).results("today")
    there = [each for each in asked if each.seeds]
    if not there:
        raise missing("today", place, asked)
    found, arms = table(there, ends.solved()), list(dict.fromkeys(map(arm, asked)))
    methods = list(dict.fromkeys([*METHODS, *found["method"]]))
    omegas = found["omega"].unique().tolist()
    figure, axes = common.subplots(columns=len(omegas), height=0.42 * len(arms), sharey=True)
    for axis, omega in zip(axes, omegas, strict=True):
        panel(axis, found[found["omega"] == omega], arms, methods)
        axis.set_title(rf"$\omega = {omega:g}$ rad, n = {span(found.loc[found['omega'] == omega, 'n'].tolist())}")
    common.caption(figure, f"seeds that end with a loss below {ends.solved():g}, and the median loss (settled)")
    return common.save(figure, place.figures / "today")


def panel(axes: Axes, cells: pd.DataFrame, arms: Sequence[str], methods: Sequence[str]) -> None:
    """Draw the cells of one omega, which are those of `table`."""
    shares = np.full((len(arms), len(methods)), np.nan)
    for cell in cells.to_dict("records"):
        y, x = arms.index(cell["arm"]), methods.index(cell["method"])
        shares[y, x] = cell["share"]
        colour = "white" if cell["share"] > 0.6 else "black"
        text = f"{cell['solved']} of {cell['n']}\n{in_digits(cell['loss'])}"
        axes.text(x, y, text, ha="center", va="center", fontsize=6, color=colour)
    for y, x in np.argwhere(np.isnan(shares)):
        axes.text(x, y, "not run", ha="center", va="center", fontsize=6, color=common.GREY)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(methods)), [LABELS[method] for method in methods], fontsize=7)
    axes.set_yticks(range(len(arms)), arms)
    axes.grid(visible=False)
