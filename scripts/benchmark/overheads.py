"""What is not training: starting, drawing, writing results, showing progress."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import partial
from pathlib import Path

import pandas as pd

from benchmark import solvers
from benchmark.measure import Cell, Section, Spread, in_turn, interleaved
from homotopy.progress import Progress
from homotopy.results.folder import RunFolder
from homotopy.solvers.fused import FusedEnsemble
from homotopy.solvers.mlp import MLP

SEEDS, EPOCHS, LOG_EVERY, SAMPLES = 8, 2500, 10, 8000  # of a group that trains together; of a paper-scale run
LEAST = 0.5  # seconds of a turn
ROOT = Path(__file__).parents[2]


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)


def start(folder: Path) -> None:
    """Start a process that trains one seed for eleven epochs into a new folder, and wait for its end."""
    shutil.rmtree(folder, ignore_errors=True)
    _run("scripts/train.py", "method=random", "profile=smoke", "seeds=1", f"results.root={folder}")


def draw(folder: Path) -> None:
    """Draw every figure that paper-scale results are there for."""
    _run("scripts/plot.py", "profile=paper", f"results.root={folder}")


def curves(first: int, seeds: int) -> pd.DataFrame:
    """Return made-up curves of as many points as a paper-scale run records, for seeds `first`, `first` + 1, ..."""
    epochs = [1, *range(LOG_EVERY, EPOCHS + 1, LOG_EVERY)]
    index = pd.MultiIndex.from_product([range(first, first + seeds), epochs], names=["seed", "epoch"])
    frame = index.to_frame(index=False).assign(lam=1.0, phase="step")
    losses = 1 / (1 + frame["epoch"] + frame["seed"])
    return frame.assign(train_loss=losses, target_loss=2 * losses)


def write(folder: RunFolder) -> None:
    """Add a group to a folder that holds the other seeds of the study."""
    folder.add(curves(100 - SEEDS, SEEDS), {"seeds": list(range(100 - SEEDS, 100))}, {})


def show(epochs: int) -> None:
    """Advance a progress bar on a terminal."""
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as terminal, redirect_stderr(terminal), Progress("bench", epochs) as progress:
        for epoch in range(epochs):
            progress.advance(epoch / epochs, 1 / (1 + epoch))
    os.close(reader)


def overheads() -> Section:
    """Measure each by itself; the shares are of the training of `SEEDS` seeds at paper scale."""
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder(Path(name) / "run")
        folder.add(curves(0, 100 - SEEDS), {"seeds": list(range(100 - SEEDS))}, {})
        paper = Path(name) / "results"
        shutil.copytree(ROOT / "results" / "paper", paper / "paper", ignore=shutil.ignore_patterns("*.pt", ".*"))
        processes: dict[str, Callable[[], object]] = {
            "nothing but `import torch`": partial(_run, "-c", "import torch"),
            "process start, eleven epochs, results written, exit": partial(start, Path(name) / "started"),
            "all figures from saved paper-scale results": partial(draw, paper),
        }
        inside: dict[str, Callable[[], object]] = {
            "epoch": solvers.epoch_of(FusedEnsemble, MLP(), 128, SEEDS, SAMPLES),
            "writing results": partial(write, folder),
            "progress bar": partial(show, EPOCHS),
        }
        seconds = in_turn(processes, 2, dict.fromkeys(processes, 1)) | interleaved(inside, 5, LEAST)
    run = seconds["epoch"] * EPOCHS
    rows: list[list[Cell]] = [[name, Spread.of(seconds[name]), ""] for name in processes]
    for name in ("writing results", "progress bar"):
        rows.append([name, Spread.of(seconds[name]), Spread.of(100 * seconds[name] / run)])
    text = f"Shares are of the time that {SEEDS} seeds train together for {EPOCHS} epochs of {SAMPLES} samples."
    return Section("overheads", "What is not training", text, ["", "seconds", "% of a run"], rows)
