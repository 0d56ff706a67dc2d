"""Figure 9: the balls of Theorem 3.9, drawn from a run, and what happens with steps larger than it admits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from homotopy.figures import common, looks, names
from homotopy.figures.tables import read
from homotopy.results.library import Place

_MARKERS = "osD^vP"


def path_panel(axes: Axes, iterates: pd.DataFrame, balls: pd.DataFrame) -> None:
    """Draw a run's SGD iterates, where each step ended, the optima, and the balls around them."""
    for x, y, radius in balls[["x", "y", "radius"]].to_numpy():
        axes.add_patch(Circle((x, y), radius, facecolor=looks.BLUE, alpha=0.10, linewidth=0))
        axes.add_patch(Circle((x, y), radius, fill=False, edgecolor=looks.BLUE, linewidth=0.5))
    last = iterates[iterates["k"] == iterates["k"].max()]
    axes.plot(iterates["x"], iterates["y"], "-", color="0.55", linewidth=0.4, label="SGD iterates", zorder=2)
    axes.plot(balls["x"], balls["y"], "+-", color=looks.BLUE, markersize=6, linewidth=0.8, label=r"$\theta^*_i$")
    axes.plot(last["x"], last["y"], "o", color=looks.VERMILLION, markersize=3, label=r"$\theta_i$", zorder=3)
    axes.set_aspect("equal")
    axes.set(xlabel=r"$\theta^{(1)}$", ylabel=r"$\theta^{(2)}$")
    axes.legend(loc="lower center", ncols=3, handlelength=1.4)  # under the arch of the optima, where nothing is


def step_panel(axes: Axes, tracking: pd.DataFrame) -> dict[str, Line2D]:
    """Draw, for each problem, the worst error along the path over r against the step of lam over the admissible one.

    Return the lines by the problems' names.
    """
    drawn = {}
    tracking = tracking[tracking["i"] > 0]
    for problem, colour, marker in zip(tracking["problem"].unique(), looks.PALETTE, _MARKERS, strict=True):
        worst = tracking[tracking["problem"] == problem].groupby("step_over_admissible")["ratio"].max()
        (line,) = axes.plot(worst.index, np.sqrt(worst), marker=marker, markersize=3, color=colour)
        drawn[problem.replace(" mu ", r" $\mu$ = ")] = line
    axes.axhline(1, color="black", linewidth=0.8)
    axes.axvline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", yscale="log", xlim=(0.7, 400), xlabel=r"step of $\lambda$ / admissible step")
    axes.set_ylabel("worst root mean square error / r")
    axes.text(0.995, 0.95, "edge of the ball", transform=axes.get_yaxis_transform(), ha="right", va="top", fontsize=7)
    axes.text(1.06, 0.97, "largest admissible", transform=axes.get_xaxis_transform(), va="top", fontsize=7)
    return drawn


def draw(place: Place) -> list[Path]:
    """Draw the run above, all problems below; under the horizontal line the error is inside the ball."""
    iterates, balls = (read(place, f"theory/{name}.csv", "fig9") for name in ("run", "balls"))
    figure, axes = common.subplots(rows=2, height=2.5)
    path_panel(axes[0], iterates, balls)
    drawn = step_panel(axes[1], read(place, "theory/tracking.csv", "fig9"))
    axes[0].set_title(rf"(a) one run, {len(balls) - 1} admissible steps")
    axes[1].set_title("(b) larger steps than admitted")
    names.at_lines(figure, [(axes[1], drawn)])
    return common.save(figure, place.figures / "fig9")
