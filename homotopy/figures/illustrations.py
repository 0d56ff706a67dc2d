"""The data of the illustrations, Figures 4 to 7: `python scripts/train.py experiment=fig4`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from homotopy import settings
from homotopy.algorithm.deformations import linear
from homotopy.config import Config
from homotopy.errors import ConfigError
from homotopy.job import Job
from homotopy.results.files import write_atomic, write_csv
from homotopy.results.library import made_in
from homotopy.tasks.classification import mix_labels
from homotopy.tasks.images import Images
from homotopy.tasks.sine import Sine

_SOURCE, _TARGET = (1.0, 1.0), (5.0, 0.1)  # Fig. 4's mean and standard deviation
_SHOWN = 600  # samples of Fig. 5, enough for 22 periods
_SEED = 0

Origin = dict[str, Any]  # which files an illustration was made from, where it needs any


def normal(x: np.ndarray, mean: float, sd: float) -> np.ndarray:
    """Density of the normal distribution, any shape."""
    return np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))


def densities() -> pd.DataFrame:
    """Fig. 4: two homotopies from N(1, 1) to N(5, 0.1), as homotopy (mixture or parameters), lam, x, density."""
    x = np.round(np.arange(-200, 601) * 0.01, 2)
    (m0, s0), (m1, s1) = _SOURCE, _TARGET
    parts = []
    for lam in (0.0, 0.25, 0.5, 0.75, 1.0):
        mixture = (1 - lam) * normal(x, m0, s0) + lam * normal(x, m1, s1)
        moved = normal(x, (1 - lam) * m0 + lam * m1, (1 - lam) * s0 + lam * s1)
        for name, density in {"mixture": mixture, "parameters": moved}.items():
            parts.append(pd.DataFrame({"homotopy": name, "lam": lam, "x": x, "density": density}))
    return pd.concat(parts, ignore_index=True)


def deformed_sines(task: Sine) -> pd.DataFrame:
    """Fig. 5: samples of the deformed task at lam = 0, 0.05, ..., 1, as deformation, lam, x, y, sorted by x.

    Both deformations of the task's data of seed 0: the targets mixed at the same x (Eq. 14), and through the filter.
    And `function`, what both are samples of but for the noise and the filter's error: Eq. 14 without noise, even in x.
    """
    parts = []
    for name in ("linear_targets", "gaussian_filter"):
        deformation = dataclasses.replace(task, deformation=name).load([_SEED], torch.device("cpu"), torch.float64)
        for lam in np.arange(21) / 20:
            problem = deformation.at(float(lam))
            parts.append(_samples({"deformation": name, "lam": lam}, problem.x, problem.y, _SHOWN))
    x = np.arange(_SHOWN + 1) / _SHOWN
    for lam in np.arange(21) / 20:
        y = (1 - lam) * np.sin(task.source_omega * x) + lam * np.sin(task.omega * x)
        parts.append(pd.DataFrame({"deformation": "function", "lam": lam, "x": x, "y": y}))
    return pd.concat(parts, ignore_index=True)


def sine_data(task: Sine) -> pd.DataFrame:
    """Fig. 7: the source and the target data of seed 0, 2,000 samples each, as task, omega, x, y."""
    deformation = task.load([_SEED], torch.device("cpu"), torch.float64)
    source, target = deformation.source(), deformation.target()
    return pd.concat(
        [
            _samples({"task": "source", "omega": task.source_omega}, source.x, source.y, 2000),
            _samples({"task": "target", "omega": task.omega}, target.x, target.y, 2000),
        ],
        ignore_index=True,
    )


def _samples(labels: Mapping[str, Any], x: torch.Tensor, y: torch.Tensor, count: int) -> pd.DataFrame:
    columns = {"x": x[0, :count, 0].numpy(), "y": y[0, :count, 0].numpy()}
    return pd.DataFrame(dict(labels) | columns).sort_values("x", ignore_index=True)


def mixed_images(task: Images) -> tuple[pd.DataFrame, Origin]:
    """Fig. 6: the source's first "2" and the target's first sandal, mixed at lam = 0, 0.05, ..., 1 (Eq. 17-18).

    Long: kind is pixel (row, column, value in 0..1) or label (row is the class, value its probability). And the
    provenance of both data sets.
    """
    source, target = task.sets()
    origin = [images.provenance._asdict() for images in (source, target)]
    x = [images.train.pixels[images.train.labels == c][0, 0].double() / 255 for images, c in ((source, 2), (target, 5))]
    parts = []
    for lam in (np.arange(21) / 20).tolist():
        label = mix_labels(torch.tensor(2), torch.tensor(5), lam, len(target.classes))
        for kind, values in (("pixel", linear(x[0], x[1], lam)), ("label", label.unsqueeze(1))):
            row, column = np.indices(values.shape)
            found = {"row": row.ravel(), "column": column.ravel(), "value": values.flatten().numpy()}
            parts.append(pd.DataFrame({"lam": lam, "kind": kind, **found}))
    return pd.concat(parts, ignore_index=True), {"data": origin}


ILLUSTRATIONS: dict[str, Callable[[Config], tuple[pd.DataFrame, Origin]]] = {
    "fig4": lambda _: (densities(), {}),
    "fig5": lambda use: (deformed_sines(use.task), {}),
    "fig6": lambda use: mixed_images(use.task),
    "fig7": lambda use: (sine_data(use.task), {}),
}


_TASKS = {"fig5": Sine, "fig6": Images, "fig7": Sine}  # what an illustration is of, where it is of a task


def folder(job: Job) -> Path:
    """Return <results>/<profile>/illustrations, or a folder of its own in it for another task than the experiment's."""

    def task(job: Job) -> list[Any]:
        of = job.config.task
        return [of.label, of.identity(needs_source=True, needs_path=True)]

    return made_in("illustrations", job, chosen(job), task)


def chosen(job: Job) -> str:
    """Return a job's `illustration`; raise ConfigError where it is unknown, or not of the job's task."""
    given, allowed = settings.given(job.composed, "illustration"), f"one of {', '.join(ILLUSTRATIONS)}"
    name: str = settings.check(given, str, "illustration", settings.one_of(*ILLUSTRATIONS), allowed)
    task = job.config.task
    if not isinstance(task, _TASKS.get(name, object)):
        raise ConfigError("task", task.label, f"{'images' if name == 'fig6' else 'the sine study'}, which {name} shows")
    return name


def compute(job: Job) -> None:
    """Write <illustration>.csv.gz into the job's `folder`, and .json if it was made from files."""
    name = chosen(job)
    path = folder(job) / f"{name}.csv.gz"
    frame, origin = ILLUSTRATIONS[name](job.config)
    if origin:
        write_atomic(path.with_name(f"{name}.json"), (json.dumps(origin, indent=1) + "\n").encode())
    write_csv(path, frame)
    print(path)
