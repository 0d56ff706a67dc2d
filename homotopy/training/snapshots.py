"""Takes snapshots of saved runs: trains them again, bit for bit, and looks at their networks on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from homotopy.algorithm.corrector import Ensemble
from homotopy.config import Config
from homotopy.errors import ResultError
from homotopy.results.folder import RunFolder
from homotopy.results.snapshots import Snapshots
from homotopy.solvers.mlp import MLP
from homotopy.training.again import watched

POINTS = 501  # of [0, 1]: 23 in a period of the fastest sine, omega 137
EVERY = 25  # epochs; with the paper's budget 8 snapshots at each lam


class Camera:
    """Keeps what networks of scalars compute on a grid of [0, 1], at epoch 0, every 25th and the last."""

    def __init__(self, model: MLP, last: int) -> None:
        self._model, self._last = model, last
        self._x = np.linspace(0, 1, POINTS)
        self._epochs: list[int] = []
        self._lams: list[float] = []
        self._y: list[np.ndarray] = []

    def __call__(self, epoch: int, lam: float, ensemble: Ensemble) -> None:
        """Look at the ensemble, if it is time."""
        if epoch % EVERY == 0 or epoch == self._last:
            theta = ensemble.theta.cpu().double()
            x = torch.from_numpy(self._x).reshape(1, -1, 1).expand(len(theta), -1, -1)
            self._y.append(self._model.forward(theta, x)[..., 0].numpy())
            self._epochs.append(epoch)
            self._lams.append(lam)

    def taken(self) -> list[Snapshots]:
        """Return the snapshots of each seed."""
        y = np.stack(self._y, axis=1)  # (S, T, X)
        return [Snapshots(np.array(self._epochs), np.array(self._lams), self._x, of_seed) for of_seed in y]


def take(config: Config, seeds: Sequence[int]) -> dict[int, Snapshots]:
    """Train saved runs of the sine study again, on the CPU and in a temporary folder; return each seed's snapshots.

    Raises ResultError if a seed was not finished, or if a run does not come out again to the byte.
    """
    if missing := set(seeds) - RunFolder(config.folder).finished():
        raise ResultError(f"{config.folder} has no seed {', '.join(map(str, sorted(missing)))} to take snapshots of")
    data = config.task.load(seeds, torch.device("cpu"), torch.float32)
    camera = Camera(config.model.network(data), config.epochs)
    watched(replace(config, seeds=tuple(seeds)), camera)
    return dict(zip(seeds, camera.taken(), strict=True))
