"""Snapshots of a run: what its network computes as training goes on, and whose runs they are taken of."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from homotopy.config import Config
from homotopy.errors import ResultError
from homotopy.results.files import write_atomic
from homotopy.results.statistics import settled

AMONG = range(10)  # the seeds that are ranked: more that are trained later change no choice


class Snapshots(NamedTuple):
    """After `epochs` (T,), at the `lams` (T,) of the last of them, the network computed `y` (T, X) on `x` (X,).

    float64, of numbers that were rounded to hundredths: as much as the data's noise.
    """

    epochs: np.ndarray
    lams: np.ndarray
    x: np.ndarray
    y: np.ndarray


def path(config: Config, seed: int) -> Path:
    """Return where the snapshots of a seed of a configuration are."""
    return config.results / config.profile / "snapshots" / f"{config.name}-seed{seed}.npz"


def write(file: Path, taken: Snapshots) -> None:
    """Write snapshots, compressed; the same ones give the same bytes."""
    packed = io.BytesIO()
    np.savez_compressed(packed, **{**taken._asdict(), "y": taken.y.round(2).astype(np.float16)})
    write_atomic(file, packed.getvalue())


def read(file: Path) -> Snapshots:
    """Return the snapshots in a file; raise ResultError if it is damaged."""
    try:
        with np.load(file) as saved:
            return Snapshots(*(saved[name].astype(float) for name in Snapshots._fields))
    except (KeyError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise ResultError(f"{file} is truncated or altered: it holds no snapshots") from error


def ranked(homotopy: pd.DataFrame) -> dict[str, int]:
    """Return the seeds that are shown of a task: where the homotopy ends best, at its median, and worst.

    Of its finished seeds among 0 to 9, whose curves are given as in runs.csv.gz, by the settled train loss on the
    target; of an even number the better of the two in the middle. Empty where none of them is finished.
    """
    curves = homotopy[homotopy["seed"].isin(AMONG)]
    if curves.empty:
        return {}
    table = curves.pivot(index="seed", columns="epoch", values="target_loss")
    losses = settled(table.columns.to_numpy(), table.to_numpy())
    seeds = table.index.to_numpy()[np.argsort(losses, kind="stable")].tolist()
    return {"best": seeds[0], "median": seeds[(len(seeds) - 1) // 2], "worst": seeds[-1]}
