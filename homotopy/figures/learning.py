"""The moving picture: what three networks compute while they learn sin(137 x), and their loss."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

from homotopy.errors import ResultError
from homotopy.figures import animation, common, looks
from homotopy.results import snapshots
from homotopy.results.library import Place, Result, tasks
from homotopy.results.methods import LABELS

OMEGA = 137.0
LAM = "\N{GREEK SMALL LETTER LAMDA}"
WAYS = {
    "random": "starts from random weights and trains on the target",
    "warmstart": "starts from a network that solves sin x and trains on the target",
    "homotopy": "starts from that network, and the target moves from sin x to sin 137x",
}
_TARGET, _MOVING, _QUIET = "#c0c0c0", "#7fb8dc", "#666666"
_FINE = np.linspace(0, 1, 2001)
_SIZE = (8.0, 5.6)  # inches, at 100 pixels each
_FRAME, _END = 100, 3000  # milliseconds


class Run(NamedTuple):
    """One method's run: its snapshots, and the loss on the target at the recorded epochs."""

    method: str
    taken: snapshots.Snapshots
    epochs: np.ndarray
    losses: np.ndarray

    def loss(self, epoch: int) -> float:
        """Return the last recorded loss up to an epoch, the first before it."""
        return float(self.losses[max(0, int(np.searchsorted(self.epochs, epoch, side="right")) - 1)])


def runs(place: Place) -> list[Run]:
    """Read the runs of the seed on which the homotopy ends at its median; ResultError says how to make what lacks."""
    groups = [group for group in tasks("fig1", place)[0] if group[0].config.task.omega == OMEGA]
    if not groups:
        raise ResultError(f"learning: no runs of omega {OMEGA:g}; make them with: {place.command('fig1')}")
    ranks = [snapshots.ranked(found.curves) for found in groups[0] if found.config.method.name == "homotopy"]
    if not ranks or "median" not in ranks[0]:
        asked = shlex.join(place.options)
        raise ResultError(f"learning: no homotopy's run of seeds 0 to 9 is among what was asked for ({asked})")
    seed = ranks[0]["median"]
    return [_run(found, seed, place) for found in groups[0]]


def _run(found: Result, seed: int, place: Place) -> Run:
    file = snapshots.path(found.config, seed)
    if not file.exists():
        if place.overrides:
            asked = shlex.join(place.overrides)
            raise ResultError(f"learning: parameters are kept of the profile's own runs, not of those with {asked}")
        command = shlex.join(["python", "scripts/snapshots.py", *place.options])
        raise ResultError(f"learning: {file} is missing; make it with: {command}")
    curve = found.curves[found.curves["seed"] == seed].sort_values("epoch")
    losses = curve["target_loss"].to_numpy()
    return Run(found.config.method.name, snapshots.read(file), curve["epoch"].to_numpy(), losses)


class OutputPanel:
    """A method's panel: its network's output over the target, and for the homotopy over what it is trained on."""

    def __init__(self, axes: Axes, run: Run) -> None:
        self._run = run
        colour = looks.COLOURS[run.method]
        self._source, self._target = np.sin(_FINE), np.sin(OMEGA * _FINE)
        axes.plot(_FINE, self._target, color=_TARGET, linewidth=1.0)
        (self._moving,) = axes.plot([], [], color=_MOVING, linewidth=1.0)
        (self._line,) = axes.plot(run.taken.x, run.taken.y[0], color=colour, linewidth=1.5)
        axes.set(xlim=(0, 1), ylim=(-1.45, 1.45), yticks=(-1, 0, 1), xticks=())
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
        self._loss = _headed(axes, LABELS[run.method], WAYS[run.method], colour)

    def show(self, i: int) -> None:
        """Show the i-th snapshot."""
        self._line.set_ydata(self._run.taken.y[i])
        lam, loss = self._run.taken.lams[i], f"loss {self._run.loss(int(self._run.taken.epochs[i])):.2g}"
        if self._run.method == "homotopy":
            self._moving.set_data(_FINE, (1 - lam) * self._source + lam * self._target)
            loss = f"{LAM} = {lam:.1f},  {loss}"
        self._loss.set_text(loss)


def _headed(axes: Axes, name: str, words: str, colour: str) -> Text:
    """Write a name and some words above a panel; return an empty text at its right."""
    title = axes.text(0, 1.07, name, color=colour, weight="bold", size=11, transform=axes.transAxes)
    axes.annotate(words, (1, 0), (8, 0), xycoords=title, textcoords="offset points", color=_QUIET, va="bottom", size=9)
    return axes.text(1, 1.07, "", color=colour, ha="right", size=10, transform=axes.transAxes)


class LossPanel:
    """The panel below: the losses so far."""

    def __init__(self, axes: Axes, found: Sequence[Run]) -> None:
        self._found = found
        colours = [looks.COLOURS[run.method] for run in found]
        self._lines = [axes.plot([], [], color=colour, linewidth=1.4)[0] for colour in colours]
        self._heads = [axes.plot([], [], "o", color=colour, markersize=4.5, clip_on=False)[0] for colour in colours]
        losses = np.concatenate([run.losses for run in found])
        axes.set(xlim=(0, found[0].epochs[-1]), yscale="log", ylim=(losses.min() / 1.5, losses.max() * 2))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_minor_formatter("")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(axis="x", visible=False)
        _headed(axes, "loss", "on the target, against epochs", "black")

    def show(self, i: int) -> None:
        """Show the losses up to the i-th snapshot."""
        for run, line, head in zip(self._found, self._lines, self._heads, strict=True):
            epoch = int(run.taken.epochs[i])
            known = run.epochs <= epoch
            line.set_data(run.epochs[known], run.losses[known])
            head.set_data([epoch], [run.loss(epoch)])


def draw(place: Place) -> list[Path]:
    """Animate the runs of one seed; the end comes first, and stays a while, so that the still picture shows it."""
    found = runs(place)
    figure, axes = common.subplots(rows=4, height=1.4, gridspec_kw={"height_ratios": (1, 1, 1, 1.5)})
    figure.set_size_inches(_SIZE)
    figure.set_layout_engine(None)  # or names would push the panels about
    figure.subplots_adjust(left=0.07, right=0.972, top=0.88, bottom=0.05, hspace=0.42)
    panels: list[OutputPanel | LossPanel] = [
        *(OutputPanel(ax, run) for ax, run in zip(axes, found, strict=False)),
        LossPanel(axes[-1], found),
    ]
    figure.text(0.07, 0.952, f"Three ways to learn sin {OMEGA:g}x", size=13, weight="bold")
    when = figure.text(0.972, 0.952, "", size=12, ha="right")
    homotopy = next(run for run in found if run.method == "homotopy").taken

    def show(i: int) -> None:
        when.set_text(f"epoch {homotopy.epochs[i]:,.0f} of {homotopy.epochs[-1]:,.0f}")
        for panel in panels:
            panel.show(i)

    last = len(homotopy.epochs) - 1
    frames, file = [last, *range(last)], place.figures / "learning.gif"
    return animation.save(figure, show, frames, file, dpi=100, frame=_FRAME, hold=(_END, _FRAME))
