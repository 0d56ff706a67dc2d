"""The grid over omega and gamma: the homotopy's final median loss over warm start's, at equal epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm

from homotopy.figures import common
from homotopy.results.library import Place, Result, count, experiment
from homotopy.results.statistics import median


def _median(found: Result) -> float:
    return float(median(found.final("target_loss")))


def ratios(found: list[Result]) -> pd.DataFrame:
    """Return median(homotopy)/median(warm start), rows omega, columns gamma; warm start is gamma = 1."""
    warm = {r.config.task.omega: _median(r) for r in found if r.config.method.name == "warmstart"}
    cells = [
        (r.config.task.omega, r.config.schedule.gamma, _median(r) / warm[r.config.task.omega])
        for r in found
        if r.config.method.name == "homotopy"
    ]
    return pd.DataFrame(cells, columns=["omega", "gamma", "ratio"]).pivot(
        index="omega", columns="gamma", values="ratio"
    )


def draw(place: Place) -> list[Path]:
    """Draw the grid; blue where the homotopy ends below warm start, orange where above."""
    found = experiment("omega_gamma", place)
    table = ratios(found)
    exponents = np.log10(table.to_numpy())
    reach = max(float(np.abs(exponents[np.isfinite(exponents)]).max(initial=0.0)), 0.1)
    figure, (axes,) = common.subplots(height=2.6)
    image = axes.imshow(exponents, cmap="PuOr_r", norm=TwoSlopeNorm(0.0, -reach, reach), aspect="auto", origin="lower")
    for (i, j), exponent in np.ndenumerate(exponents):
        light = abs(exponent) > 0.6 * reach
        axes.text(j, i, f"{10**exponent:.2g}", ha="center", va="center", color="white" if light else "black")
    axes.set_xticks(range(table.shape[1]), [f"{g:g}" for g in table.columns])
    axes.set_yticks(range(table.shape[0]), [f"{w:g}" for w in table.index])
    axes.grid(False)
    axes.set(xlabel=r"steps $\gamma$ (equal epochs in all)", ylabel=r"$\omega$ (rad)")
    axes.set_title(f"final median loss, homotopy / warm start\n{count(found)}")
    figure.colorbar(image, ax=axes, label=r"$\log_{10}$ of the ratio")
    return common.save(figure, place.figures / "omega_gamma")
