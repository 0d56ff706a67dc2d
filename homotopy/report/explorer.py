"""What networks compute as they learn, to be explored in the report's page: omega, method, seed, epoch and lam.

Bokeh draws it; what the controls do is in explorer.js beside this file. All of it goes into the page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from bokeh.embed import json_item
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, Div, RadioButtonGroup, Slider, Span
from bokeh.plotting import figure
from bokeh.resources import Resources

from homotopy.figures.looks import COLOURS
from homotopy.results import snapshots
from homotopy.results.folder import RunFolder
from homotopy.results.methods import LABELS, METHODS
from homotopy.results.snapshots import Snapshots

NAME = re.compile(r"(sine-omega([\d.]+))-((\w+)-[0-9a-f]{8})-seed(\d+)")
SOURCE_OMEGA = 1.0  # Section 5.1: the source task is sin x
HUNDREDTHS = 100  # what a network computes is kept in hundredths, one byte each
MOST = 50  # snapshots of a run: with the paper's budget every second, so that the page stays small
RANKS = ("best", "median", "worst")
_FRAME = Path(__file__).with_suffix(".html")


class Run(NamedTuple):
    """One run of the explorer; `rank` says which seed it is among the homotopy's: best, median or worst."""

    omega: float
    method: str
    rank: str
    seed: int
    taken: Snapshots
    epochs: np.ndarray
    losses: np.ndarray


def saved_runs(folder: Path) -> list[Run]:
    """Return the runs that a profile's folder has snapshots of, those of the ranked seeds; ordered by omega."""
    found: list[Run] = []
    named = [(file, NAME.fullmatch(file.stem)) for file in sorted((folder / "snapshots").glob("*.npz"))]
    files = {(name[1], name[4], int(name[5])): (file, name) for file, name in named if name}
    for task in dict.fromkeys(task for task, _, _ in files):
        curves = {method: _curves(folder, name) for (of, method, _), (_, name) in files.items() if of == task}
        ranks = snapshots.ranked(curves["homotopy"]) if "homotopy" in curves else {}
        for rank, seed in ranks.items():
            for method in METHODS:
                if (task, method, seed) in files:
                    file, name = files[task, method, seed]
                    found.append(_run(file, float(name[2]), method, rank, seed, curves[method]))
    return sorted(found, key=lambda run: run.omega)


def _curves(folder: Path, name: re.Match[str]) -> pd.DataFrame:
    return RunFolder(folder / name[1] / name[3]).runs()


def _run(file: Path, omega: float, method: str, rank: str, seed: int, curves: pd.DataFrame) -> Run:
    curve = curves[curves["seed"] == seed].sort_values("epoch")
    losses = curve["target_loss"].to_numpy()
    return Run(omega, method, rank, seed, _thinned(snapshots.read(file)), curve["epoch"].to_numpy(), losses)


def _thinned(taken: Snapshots) -> Snapshots:
    """Return at most some `MOST` of the snapshots, the first and the last among them, as equally spaced as can be."""
    last = len(taken.epochs) - 1
    kept = [*range(0, last, math.ceil(last / MOST)), last]
    return taken._replace(epochs=taken.epochs[kept], lams=taken.lams[kept], y=taken.y[kept])


def explorer(folder: Path) -> str:
    """Return the explorer as HTML that needs no other file; empty where the folder has no snapshots."""
    runs = saved_runs(folder)
    if not any(run.method == "homotopy" for run in runs):
        return ""
    item = json_item(_layout(runs), "explorer")
    library = Resources(mode="inline", components=["bokeh", "bokeh-widgets"]).render()
    return Template(_FRAME.read_text()).substitute(library=library, item=_numbered(json.dumps(item)))


def _numbered(item: str) -> str:
    """Number what Bokeh names anew each time, so that the same results give the same page, and keep `</` out of it."""
    for name in (r"p\d{4,}", r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"):
        found = dict.fromkeys(re.findall(f'"({name})"', item))
        numbers = {old: f"{name[0]}{i}".replace("[", "d") for i, old in enumerate(found)}
        item = re.sub(f'"({name})"', lambda old, numbers=numbers: f'"{numbers[old[1]]}"', item)  # type: ignore[misc]
    return item.replace("</", "<\\/")


def _layout(runs: Sequence[Run]) -> Any:
    """Return Bokeh's model of the explorer: the controls, the network's output over the target, and the losses."""
    choices, sliders = _choices(runs), _sliders(runs)
    sources, network, losses, glyphs = _plots(runs)
    said = Div(text="", name="said")
    arguments = {**choices, **sliders, **sources, **glyphs, **_data(runs), "said": said}
    update = CustomJS(args=arguments, code=Path(__file__).with_suffix(".js").read_text())
    for group in choices.values():
        group.js_on_change("active", update)
    for slider in sliders.values():
        slider.js_on_change("value", update)
    return column(_controls(choices), *sliders.values(), said, network, losses, sizing_mode="stretch_width")


def _choices(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the groups of buttons, each with the values that some run has."""
    omegas = [f"{omega:g}" for omega in sorted({run.omega for run in runs})]
    methods = [LABELS[method] for method in _methods(runs)]
    ranks = [rank for rank in RANKS if any(run.rank == rank for run in runs)]
    median = ranks.index("median") if "median" in ranks else 0
    return {
        "omega_choice": RadioButtonGroup(labels=omegas, active=len(omegas) - 1, name="omega"),
        "method_choice": RadioButtonGroup(labels=methods, active=len(methods) - 1, name="method"),
        "rank_choice": RadioButtonGroup(labels=ranks, active=median, name="rank"),
    }


def _methods(runs: Sequence[Run]) -> list[str]:
    return [method for method in METHODS if any(run.method == method for run in runs)]


def _controls(choices: Mapping[str, Any]) -> Any:
    texts = ("omega", "method", "seed where the homotopy ends")
    labelled = [row(Div(text=text), group) for text, group in zip(texts, choices.values(), strict=True)]
    return row(*labelled, sizing_mode="stretch_width", styles={"flex-wrap": "wrap", "gap": "0 1.5em"})


def _sliders(runs: Sequence[Run]) -> dict[str, Any]:
    epochs, lams = runs[0].taken.epochs, np.unique(_homotopy(runs).taken.lams)
    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (5, 20, 5, 20)}
    every, step = int(epochs[1] - epochs[0]), float(np.diff(lams).min().round(6))
    return {
        "epoch": Slider(title="epoch", value=0, start=0, end=int(epochs[-1]), step=every, name="epoch", **wide),
        "lam": Slider(title="the homotopy's lambda", value=0, start=0, end=1, step=step, name="lam", **wide),
    }


def _homotopy(runs: Sequence[Run]) -> Run:
    return next(run for run in runs if run.method == "homotopy")


def _plots(runs: Sequence[Run]) -> tuple[dict[str, Any], Any, Any, dict[str, Any]]:
    """Return the sources of what is drawn, both plots, and the parts of them that change besides."""

    def empty(name: str) -> ColumnDataSource:
        return ColumnDataSource({"x": [], "y": []}, name=name)

    wide: dict[str, Any] = {"sizing_mode": "stretch_width", "tools": "xpan,xbox_zoom,reset"}
    output = figure(height=260, x_range=(0, 1), y_range=(-1.5, 1.5), x_axis_label="x", **wide)
    target, objective, network = empty("target"), empty("objective"), empty("network")
    output.line(source=target, color="#bbbbbb", line_width=1.5, legend_label="target")
    line = output.line(source=network, line_width=2, legend_label="network")
    output.line(source=objective, color="black", line_dash="dashed", legend_label="what it is trained on")
    last = int(runs[0].taken.epochs[-1])
    losses = figure(height=240, x_range=(0, last), y_axis_type="log", x_axis_label="epochs", **wide)
    losses.yaxis.axis_label = "loss on the target"
    curves = [empty(f"loss of {method}") for method in _methods(runs)]
    lines = [
        losses.line(source=source, color=COLOURS[method], legend_label=LABELS[method])
        for method, source in zip(_methods(runs), curves, strict=True)
    ]
    now = Span(location=0, dimension="height", line_color="black")
    losses.add_layout(now)
    for plot in (output, losses):
        plot.add_layout(plot.legend[0], "above")
        plot.legend[0].update(orientation="horizontal", border_line_alpha=0, padding=0)
        plot.toolbar.update(logo=None, autohide=True)
    sources = {"target": target, "objective": objective, "network": network, "curves": curves}
    return sources, output, losses, {"line": line.glyph, "lines": [each.glyph for each in lines], "now": now}


def _data(runs: Sequence[Run]) -> dict[str, Any]:
    """Return every run's numbers, a network's output in a byte."""
    outputs = [np.clip(np.rint(run.taken.y * HUNDREDTHS), -127, 127).astype(np.int8) for run in runs]
    return {
        "omegas": sorted({run.omega for run in runs}),
        "source_omega": SOURCE_OMEGA,
        "methods": _methods(runs),
        "colours": [COLOURS[method] for method in _methods(runs)],
        "keys": [f"{run.omega:g}/{run.method}/{run.rank}" for run in runs],
        "seeds": [run.seed for run in runs],
        "x": _homotopy(runs).taken.x.tolist(),
        "epochs": _homotopy(runs).taken.epochs.tolist(),
        "lams": _homotopy(runs).taken.lams.round(6).tolist(),
        "outputs": [output.ravel() for output in outputs],
        "recorded": [run.epochs.astype(np.int32) for run in runs],
        "losses": [run.losses.astype(np.float32) for run in runs],
    }
