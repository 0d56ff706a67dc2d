"""Figure 4: two homotopies between the densities of N(1, 1) and N(5, 0.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from homotopy.figures import common
from homotopy.figures.tables import read
from homotopy.results.library import Place

TITLES = {"mixture": "(a) mixture", "parameters": r"(b) moving $\mu$ and $\sigma$"}


def panel(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the density at each lam, with a dot and lam at its highest point."""
    for lam in sorted(rows["lam"].unique()):
        curve = rows[rows["lam"] == lam].reset_index()
        colour = plt.get_cmap("viridis")(0.9 * lam)
        axes.plot(curve["x"], curve["density"], color=colour)
        top = curve.iloc[int(curve["density"].to_numpy().argmax())]
        axes.plot(top["x"], top["density"], "o", color=colour, markersize=3.5)
        look: dict[str, Any] = {"ha": "right", "fontsize": 7, "color": plt.get_cmap("viridis")(0.75 * lam)}
        name = rf"$\lambda$ = {lam:g}" if lam == 0 else f"{lam:g}"
        axes.annotate(name, (top["x"], top["density"]), (-4, 3), textcoords="offset points", **look)
    axes.set(xlabel="x", ylim=(0, 4.3))


def draw(place: Place) -> list[Path]:
    """Draw both homotopies side by side; the dots are the maxima that a continuation method would track."""
    rows = read(place, "illustrations/fig4.csv.gz", "fig4")
    figure, axes = common.subplots(columns=2, sharey=True)
    for ax, (name, title) in zip(axes, TITLES.items(), strict=True):
        panel(ax, rows[rows["homotopy"] == name])
        ax.set_title(title)
    axes[0].set_ylabel("density (dots: its maximum)")
    return common.save(figure, place.figures / "fig4")
