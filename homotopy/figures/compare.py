"""Any result folders in one figure, with what differs between their configurations as its legend."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from homotopy.errors import ConfigError, ResultError
from homotopy.figures import common, looks
from homotopy.keys import dotted
from homotopy.results.folder import RunFolder, metrics
from homotopy.results.methods import LABELS
from homotopy.results.statistics import band

_STYLES = ("-", "--", ":", "-.")
_COLUMNS, _LINE = 80, 0.15  # of the legend: characters to a line, and its height in inches


def settings(folder: Path) -> dict[str, Any]:
    """Return the settings that a result folder's numbers depend on, by the names that the command line has for them."""
    identity = RunFolder(folder).identity()
    method = folder.resolve().name.rpartition("-")[0]
    steps, source = identity.pop("steps"), identity.pop("source", {})
    found = {"method": LABELS.get(method, method)}
    found |= {key: value for key, value in dotted(identity) if not isinstance(value, dict)}
    found |= {{"epochs": "budget.source", "lr": "source_lr"}[name]: value for name, value in source.items()}
    for name in ("schema", "log_every", "method.start", "method.path"):
        found.pop(name, None)
    return found | _steps(steps)


def _steps(steps: Any) -> dict[str, Any]:
    """Return what the path is: a count of epochs at lam = 1, (lam, epochs, final) of each step, or adaptive steps."""
    if isinstance(steps, int):
        return {"epochs": steps}
    if isinstance(steps, dict):
        return {"epochs": sum(steps["epochs"]), "budget.k": steps["k"], **dict(dotted(steps["control"], "control."))}
    lams, epochs, _ = zip(*steps, strict=True)
    gamma, k = len(lams) - 1, " ".join(map(str, sorted(set(epochs[:-1]))))
    linear = np.allclose(lams[:-1], np.arange(1, gamma + 1) / gamma)
    path = "linear" if linear else " ".join(f"{lam:.3g}" for lam in lams[:-1])
    return {
        "epochs": sum(epochs),
        "schedule": path,
        "schedule.gamma": gamma,
        "budget.k": k,
        "budget.final": epochs[-1],
    }


def labels(found: Sequence[dict[str, Any]], folders: Sequence[Path]) -> list[str]:
    """Return for each folder the settings in which it differs from others; a value that most have is left out.

    Where that tells two folders not apart, their paths do.
    """
    values = {key: Counter(str(one[key]) for one in found if key in one) for one in found for key in one}
    told = []
    for one in found:
        own = {key: str(value) for key, value in one.items() if len(values[key]) > 1}
        rare = [key for key, value in own.items() if key == "method" or 2 * values[key][value] <= values[key].total()]
        told.append(", ".join(own[key] if key == "method" else f"{key}={own[key]}" for key in rare))
    alike = {text for text, times in Counter(told).items() if times > 1 or not text}
    return [
        ", ".join(filter(None, [text, str(folder)])) if text in alike else text
        for text, folder in zip(told, folders, strict=True)
    ]


def draw(folders: Sequence[Path], metric: str, path: Path) -> list[Path]:
    """Draw a metric's median and quartiles over the seeds of each folder against epochs; return the files.

    Raises ResultError for a folder without results, ConfigError for a metric that one of them lacks, or a path that
    names no figure.
    """
    if not path.name:
        raise ConfigError("output", str(path), "the name of a figure")
    runs = [_runs(folder, metric) for folder in folders]
    told = labels([settings(folder) for folder in folders], folders)
    told = [f"{label} (n = {curves['seed'].nunique()})" for label, curves in zip(told, runs, strict=True)]
    told = [textwrap.fill(text, _COLUMNS) for text in told]
    figure, (axes,) = common.subplots(height=2.4 + _LINE * sum(text.count("\n") + 1 for text in told))
    for i, (curves, text) in enumerate(zip(runs, told, strict=True)):
        table = curves.pivot(index="seed", columns="epoch", values=metric)
        colour, style = looks.PALETTE[i % len(looks.PALETTE)], _STYLES[i // len(looks.PALETTE) % len(_STYLES)]
        common.line(axes, table.columns, band(table.to_numpy()), colour=colour, linestyle=style, label=text)
    axes.set(xlabel="epochs", ylabel=f"{metric.replace('_', ' ')} (median, quartiles)")
    if not metric.endswith("accuracy"):
        axes.set_yscale("log")
    figure.legend(loc="outside upper left")
    return common.save(figure, path)


def _runs(folder: Path, metric: str) -> pd.DataFrame:
    runs = RunFolder(folder).runs()
    if runs.empty:
        raise ResultError(f"{folder}: no result folder (one such as results/quick/sine-omega137/homotopy-1a2b3c4d)")
    if metric not in metrics(runs):
        raise ConfigError("metric", metric, f"among {', '.join(metrics(runs))} for {folder}")
    return runs
