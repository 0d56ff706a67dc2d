"""What an ensemble minimises at one lam: the data of H(theta, lam), for every seed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from homotopy.streams import Purpose, generator


def epoch_order(seeds: Sequence[int], purpose: Purpose, epoch: int, samples: int) -> Tensor:
    """Return each seed's own permutation of its samples in `epoch`, int64 (S, N)."""
    orders = [generator(seed, purpose, epoch).permutation(samples) for seed in seeds]
    return torch.from_numpy(np.stack(orders))


@dataclass(frozen=True)
class Regression:
    """Mean squared error on x (S, N, D) and y (S, N, 1), one data set per seed.

    `y_target` (S, N, 1) are the target task's values at the same x, from which the loss on the target follows
    without another forward pass; None where the objective's inputs are not the target's.
    """

    x: Tensor
    y: Tensor
    y_target: Tensor | None
    seeds: Sequence[int]
    shuffling: Purpose = Purpose.SHUFFLING

    def shuffled(self, epoch: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return x, y and y_target in the order of `epoch` (1, 2, ...), shapes unchanged."""
        order = epoch_order(self.seeds, self.shuffling, epoch, self.x.shape[1]).to(self.x.device)
        index = order.unsqueeze(-1)
        x = self.x.gather(1, index.expand(-1, -1, self.x.shape[2]))
        y = self.y.gather(1, index)
        return x, y, None if self.y_target is None else self.y_target.gather(1, index)
