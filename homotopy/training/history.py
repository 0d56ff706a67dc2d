"""What a group of seeds has recorded while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from homotopy.algorithm.continuation import Epoch, Step
from homotopy.algorithm.corrector import Ensemble
from homotopy.algorithm.deformations import Deformation
from homotopy.results.folder import KEYS


def measured(epoch: Epoch, deformation: Deformation, ensemble: Ensemble) -> dict[str, Tensor]:
    """Return what is recorded of an epoch that has just been trained: metric -> (S,)."""
    found = {"train_loss": epoch.loss.objective}
    if epoch.loss.target is not None:
        found["target_loss"] = epoch.loss.target
    if epoch.lams is not None:
        found["lam"] = epoch.lams
    return found | deformation.metrics(ensemble)


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
        """Record one point; a diverged seed has the worst scores from there on, and still its own lam."""
        for name, values in found.items():
            values = values.cpu().double()
            if name != "lam":
                worst = 0.0 if name.endswith("accuracy") else torch.inf
                values = values.nan_to_num(nan=worst, posinf=worst)
                values[self.diverged_at > 0] = worst
            self.metrics.setdefault(name, []).append(values)

    @property
    def diverged(self) -> dict[str, int]:
        """The seeds that diverged, and when."""
        return {str(s): int(epoch) for s, epoch in zip(self.seeds, self.diverged_at, strict=True) if epoch}

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
            parts.append(pd.DataFrame(keys, columns=KEYS).assign(**curve))
        return pd.concat(parts, ignore_index=True)
