"""What people would do today: of every arm of experiment=today how many seeds solve the task, and their median loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from homotopy.figures import common, ends
from homotopy.results.library import Place, Result, count, experiment
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


def draw(place: Place) -> list[Path]:
    """Draw a row for each arm and a column for each method, at each omega; the colour is the share that solve it."""
    results, solved = experiment("today", place), ends.solved()
    arms = list(dict.fromkeys(map(arm, results)))
    omegas = sorted({r.config.task.omega for r in results})
    figure, axes = common.subplots(columns=len(omegas), height=0.42 * len(arms), sharey=True)
    for axis, omega in zip(axes, omegas, strict=True):
        shares = np.full((len(arms), len(METHODS)), np.nan)
        for found in (r for r in results if r.config.task.omega == omega):
            at = arms.index(arm(found)), METHODS.index(found.config.method.name)
            losses = found.settled("target_loss")
            shares[at] = (losses < solved).mean()
            text = f"{round(shares[at] * len(losses))} of {len(losses)}\n{in_digits(float(np.median(losses)))}"
            colour = "white" if shares[at] > 0.6 else "black"
            axis.text(at[1], at[0], text, ha="center", va="center", fontsize=6, color=colour)
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axis.set_xticks(range(len(METHODS)), [LABELS[method] for method in METHODS], fontsize=7)
        axis.set_yticks(range(len(arms)), arms)
        axis.set_title(_title(omega, results))
        axis.grid(visible=False)
    common.caption(figure, f"seeds that end with a loss below {solved:g}, and the median loss (settled)")
    return common.save(figure, place.figures / "today")


def _title(omega: float, results: Sequence[Result]) -> str:
    return rf"$\omega = {omega:g}$ rad, {count([r for r in results if r.config.task.omega == omega])}"
