"""What people would do today: of every arm of experiment=today how many seeds solve the task, and their median loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from homotopy.figures import common, ends
from homotopy.results import intervals
from homotopy.results.library import Place, Result, span, tasks
from homotopy.results.methods import LABELS, METHODS
from homotopy.results.summary import in_digits


def arm(found: Result) -> str:
    """Return what an arm changes, in words."""
    use = found.config
    changed = {
        "standardised input": use.task.features == "standardised",
        "Fourier features": use.task.features == "fourier",
        "sine activations": use.model.name == "siren",
        f"step size {use.optimizer.lr:g}": use.optimizer.lr != 0.001 and use.model.name != "siren",
        "warm-up of the step size": use.optimizer.decay == "warmup",
    }
    return next((name for name, applies in changed.items() if applies), "default")


def table(results: Sequence[Result], solved: float) -> pd.DataFrame:
    """Return omega, arm, method, n, how many of the n seeds are `solved` (end below it), and their median loss.

    And the `share` that is solved, with its exact 95 % interval from `low` to `high`. All losses are settled.
    """
    rows = []
    for found in results:
        losses, use = found.settled("target_loss"), found.config
        share, low, high, n = intervals.share(losses < solved)
        ended = (int((losses < solved).sum()), float(np.median(losses)), share, low, high)
        rows.append((use.task.omega, arm(found), use.method.name, n, *ended))
    return pd.DataFrame(rows, columns=["omega", "arm", "method", "n", "solved", "loss", "share", "low", "high"])


def draw(place: Place) -> list[Path]:
    """Draw a row for each arm and a column for each method, at each omega; the colour is the share that solve it."""
    groups, note = tasks("today", place)
    found = table([each for group in groups for each in group], ends.solved())
    arms, omegas = found["arm"].unique().tolist(), found["omega"].unique().tolist()
    figure, axes = common.subplots(columns=len(omegas), height=0.42 * len(arms), sharey=True)
    for axis, omega in zip(axes, omegas, strict=True):
        shares = np.full((len(arms), len(METHODS)), np.nan)
        cells = found[found["omega"] == omega]
        for cell in cells.to_dict("records"):
            y, x = arms.index(cell["arm"]), METHODS.index(cell["method"])
            shares[y, x] = cell["share"]
            text = f"{cell['solved']} of {cell['n']}\n{in_digits(cell['loss'])}"
            axis.text(
                x, y, text, ha="center", va="center", fontsize=6, color="white" if shares[y, x] > 0.6 else "black"
            )
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axis.set_xticks(range(len(METHODS)), [LABELS[method] for method in METHODS], fontsize=7)
        axis.set_yticks(range(len(arms)), arms)
        axis.set_title(rf"$\omega = {omega:g}$ rad, n = {span(cells['n'].tolist())}")
        axis.grid(visible=False)
    about = f"seeds that end with a loss below {ends.solved():g}, and the median loss (settled)"
    common.caption(figure, "; ".join(filter(None, [about, note])))
    return common.save(figure, place.figures / "today")
