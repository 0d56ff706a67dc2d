"""What an ensemble minimises at one lam: the data of H(theta, lam), for every seed at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from homotopy.streams import Purpose, generator

Draw = Callable[[Sequence[int], Purpose, int, int], Tensor]


def epoch_order(seeds: Sequence[int], purpose: Purpose, epoch: int, samples: int) -> Tensor:
    """Return each seed's own permutation of its samples in `epoch`, int64 (S, N)."""
    return torch.from_numpy(np.stack([_permutation(seed, purpose, epoch, samples) for seed in seeds]))


def _permutation(seed: int, purpose: Purpose, epoch: int, samples: int) -> np.ndarray:
    return generator(seed, purpose, epoch).permutation(samples)


class OrdersAhead:
    """`epoch_order`, which draws the next epoch's orders, in threads, while the device is busy with this epoch."""

    def __init__(self, threads: int = 4) -> None:
        self._workers = ThreadPoolExecutor(threads)
        self._asked: tuple | None = None
        self._drawn: list[Future[np.ndarray]] = []

    def __call__(self, seeds: Sequence[int], purpose: Purpose, epoch: int, samples: int) -> Tensor:
        """Return each seed's own permutation of its samples in `epoch`, int64 (S, N)."""
        if self._asked != (tuple(seeds), purpose, epoch, samples):
            self._ask(seeds, purpose, epoch, samples)
        orders = [drawn.result() for drawn in self._drawn]
        self._ask(seeds, purpose, epoch + 1, samples)
        return torch.from_numpy(np.stack(orders))

    def _ask(self, seeds: Sequence[int], purpose: Purpose, epoch: int, samples: int) -> None:
        self._asked = (tuple(seeds), purpose, epoch, samples)
        self._drawn = [self._workers.submit(_permutation, seed, purpose, epoch, samples) for seed in seeds]


@dataclass(frozen=True)
class Regression:
    """Mean squared error, summed over outputs, on x (S, N, D) and y (S, N, outputs), one data set per seed.

    `y_target` (S, N, outputs) are the target task's values at the same x, from which the loss on the target follows
    without another forward pass; None where the objective's inputs are not the target's.
    """

    x: Tensor
    y: Tensor
    y_target: Tensor | None
    seeds: Sequence[int]
    shuffling: Purpose = Purpose.SHUFFLING

    def shuffled(self, epoch: int, draw: Draw = epoch_order) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return x, y and y_target in the order of `epoch` (1, 2, ...), as `draw` finds it; shapes unchanged."""
        order = draw(self.seeds, self.shuffling, epoch, self.x.shape[1]).to(self.x.device)
        index = order.unsqueeze(-1)
        x = self.x.gather(1, index.expand(-1, -1, self.x.shape[2]))
        rows = index.expand(-1, -1, self.y.shape[2])
        return x, self.y.gather(1, rows), None if self.y_target is None else self.y_target.gather(1, rows)
