"""Runs a configuration: the seeds that are missing, in groups that train together, into its result folder."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from homotopy import results
from homotopy.config import Config, digest
from homotopy.continuation import Step, follow, solve_source
from homotopy.deformations import Deformation
from homotopy.ensemble import AutogradEnsemble, Ensemble
from homotopy.fused import FusedEnsemble
from homotopy.image_ensemble import ImageEnsemble
from homotopy.models import MLP
from homotopy.optimizers import SGD, Adam
from homotopy.progress import Progress
from homotopy.streams import Purpose, generator
from homotopy.vgg import VGG


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=Path(__file__).parent)
    return done.stdout.strip()


# of the code that runs, which is the code at import: the checkout may move on during a long study
_COMMIT = _git("rev-parse", "HEAD")
_DIRTY = bool(_git("status", "--porcelain", "--untracked-files=no"))
# of parameters and data; with bfloat16 only the layers compute in it
DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


@dataclass(frozen=True)
class Machine:
    """Where tensors live and how many threads compute."""

    device: torch.device
    dtype: torch.dtype


def machine(config: Config) -> Machine:
    """Choose the device and set the number of threads."""
    name = config.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if config.threads:
        torch.set_num_threads(config.threads)
    return Machine(torch.device(name), DTYPES[config.precision])


def group_width(config: Config, device: torch.device) -> int:
    """Return how many seeds train together: all on a GPU; on a CPU few, so that finished seeds reach the disk early."""
    return config.width or (8 if device.type == "cpu" else len(config.seeds))


def build_ensemble(config: Config, model: MLP | VGG, rule: Adam | SGD, theta: Tensor) -> Ensemble:
    """Return the fastest ensemble for the model and the device at hand."""
    if isinstance(model, VGG):
        return ImageEnsemble(model, rule, theta, config.batch_size, bfloat16=config.precision == "bfloat16")
    kind = FusedEnsemble if theta.device.type == "cpu" else AutogradEnsemble
    return kind(model, rule, theta, config.batch_size)


def initial_theta(model: MLP | VGG, seeds: Sequence[int], place: Machine) -> Tensor:
    """Draw every seed's random initialisation, (S, P)."""
    draws = [model.initial(generator(seed, Purpose.INITIALISATION)) for seed in seeds]
    return torch.from_numpy(np.stack(draws)).to(place.device, place.dtype)


def source_solutions(config: Config, seeds: Sequence[int], deformation: Deformation, place: Machine) -> Tensor:
    """Return every seed's source solution, (S, P); those that no run has found yet are trained and kept."""
    folder = config.results / ".cache" / f"source-{digest(config.source_identity())}"
    files = [folder / f"seed-{seed}.pt" for seed in seeds]
    if not all(file.exists() for file in files):
        model = config.model.network(deformation)
        start = initial_theta(model, seeds, place)
        ensemble = build_ensemble(config, model, Adam(config.source_lr), start)
        with Progress("source task", config.budget.source) as progress:
            for loss in solve_source(ensemble, deformation, config.budget.source, config.source_lr):
                progress.advance(0.0, float(loss.objective.median()))
        for file, theta in zip(files, ensemble.theta, strict=True):
            results.write_tensors(file, {"theta": theta.cpu().clone()})
    return torch.stack([results.read_tensors(file)["theta"] for file in files]).to(place.device)


class History:
    """What a group of seeds has recorded: metric -> (points, S), and the epoch at which a seed diverged."""

    def __init__(self, seeds: Sequence[int], steps: Sequence[Step], log_every: int) -> None:
        """Record the first epoch, every `log_every`-th and the last of the run laid out by `steps`."""
        self.seeds = list(seeds)
        last = steps[-1].epochs.stop - 1
        epochs = sorted({1, last, *range(log_every, last + 1, log_every)})
        place = {number: step for step in steps for number in step.epochs}
        self.points = [(number, place[number]) for number in epochs]
        self.epochs = set(epochs)
        self.metrics: dict[str, list[Tensor]] = {}
        self.diverged_at = torch.zeros(len(seeds), dtype=torch.int64)

    def watch(self, number: int, objective: Tensor) -> None:
        """Note the seeds whose loss stopped being finite in epoch `number`."""
        broken = ~torch.isfinite(objective.cpu()) & (self.diverged_at == 0)
        self.diverged_at[broken] = number

    def add(self, found: dict[str, Tensor]) -> None:
        """Record one point; a diverged seed's losses are infinite from there on."""
        for name, values in found.items():
            values = values.cpu().double().clone()
            values[self.diverged_at > 0] = 0.0 if name.endswith("accuracy") else torch.inf
            self.metrics.setdefault(name, []).append(values)

    def state(self) -> dict[str, Tensor]:
        """Everything recorded, as tensors."""
        recorded = {f"metric.{name}": torch.stack(values) for name, values in self.metrics.items()}
        return {"diverged_at": self.diverged_at, **recorded}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned."""
        self.diverged_at = state["diverged_at"]
        self.metrics = {k.removeprefix("metric."): list(v) for k, v in state.items() if k.startswith("metric.")}

    def frame(self) -> pd.DataFrame:
        """Return the curves in tidy form: seed, epoch, lam, phase and a column per metric."""
        parts = []
        for i, seed in enumerate(self.seeds):
            curve = {name: [float(v[i]) for v in values] for name, values in self.metrics.items()}
            keys = [(seed, n, step.lam, "final" if step.final else "step") for n, step in self.points]
            parts.append(pd.DataFrame(keys, columns=results.KEYS).assign(**curve))
        return pd.concat(parts, ignore_index=True)


def train_group(
    config: Config, seeds: Sequence[int], deformation: Deformation, place: Machine, folder: results.RunFolder
) -> History:
    """Train some seeds together from start to end; continue from the folder's checkpoint if it is of these seeds."""
    model = config.model.network(deformation)
    if config.method.start == "source":
        theta = source_solutions(config, seeds, deformation, place)
    else:
        theta = initial_theta(model, seeds, place)
    ensemble = build_ensemble(config, model, config.optimizer.rule(), theta)
    steps = config.steps()
    history = History(seeds, steps, config.log_every)
    reset = config.optimizer.moments == "reset"
    title = f"{config.task.label} {config.method.name}, {len(seeds)} seeds"
    with Progress(title, config.epochs) as progress:
        for epoch in follow(ensemble, deformation, steps, config.step_size, reset_moments=reset):
            history.watch(epoch.number, epoch.loss.objective)
            progress.advance(epoch.step.lam, float(epoch.loss.objective.median()))
            if epoch.number in history.epochs:
                found = {"train_loss": epoch.loss.objective}
                if epoch.loss.target is not None:
                    found["target_loss"] = epoch.loss.target
                history.add(found | deformation.metrics(ensemble))
    return history


def run(config: Config) -> Path:
    """Train the seeds of a configuration that are not finished yet; return its result folder."""
    place = machine(config)
    folder = results.RunFolder(config.folder)
    with folder.lock():
        todo = results.missing(config.seeds, folder.finished())
        folder.write_config(config.identity())
        width = group_width(config, place.device)
        for start in range(0, len(todo), width):
            seeds = todo[start : start + width]
            began = time.monotonic()
            deformation = config.task.load(seeds, place.device, place.dtype)
            history = train_group(config, seeds, deformation, place, folder)
            made = {"precision": config.precision, "data": deformation.provenance}
            folder.add(history.frame(), _record(history, place, time.monotonic() - began) | made)
    return folder.path


def _record(history: History, place: Machine, seconds: float) -> dict[str, Any]:
    diverged = {str(s): int(e) for s, e in zip(history.seeds, history.diverged_at, strict=True) if e}
    return {
        "seeds": history.seeds,
        "diverged_at": diverged,
        "command": " ".join(["python", *sys.argv]),
        "commit": _COMMIT,
        "dirty": _DIRTY,
        "seconds": round(seconds, 1),
        "threads": torch.get_num_threads(),
        "hardware": hardware(place.device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    }


def hardware(device: torch.device) -> str:
    """Return the name of the processor that computes."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
