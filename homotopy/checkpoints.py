"""Checkpoints: what a group of seeds needs to go on after its last whole epoch as if nothing had happened.

Every random draw is a function of seed, purpose and epoch (`homotopy.streams`), so that the parameters, the
optimizer's moments, the curves so far and the number of epochs done are all there is to keep.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from homotopy.errors import ResultError
from homotopy.files import read_tensors, set_aside, write_tensors
from homotopy.interruption import Interruption
from homotopy.progress import say


class Part(Protocol):
    """Something that training changes: an ensemble, a history."""

    def state(self) -> dict[str, Tensor]:
        """Return it as tensors."""

    def load(self, state: dict[str, Any]) -> None:
        """Continue from what `state()` returned."""


class Saved(NamedTuple):
    """A checkpoint's file, its seeds and the number of epochs that they have done."""

    path: Path
    seeds: tuple[int, ...]
    done: int


def path_of(folder: Path, seeds: Sequence[int]) -> Path:
    """Return where the checkpoint of these seeds is."""
    return folder / f"checkpoint-{min(seeds)}-{max(seeds)}-{len(seeds)}.pt"


def saved(folder: Path, besides: Sequence[Path] = ()) -> list[Saved]:
    """Return a folder's checkpoints but for those `besides`; damaged ones are set aside."""
    found = []
    for path in sorted(folder.glob("checkpoint-*.pt")):
        if path not in besides:
            try:
                tensors = read_tensors(path)
            except ResultError as error:
                set_aside(path, str(error))
            else:
                found.append(Saved(path, tuple(tensors["seeds"].tolist()), int(tensors["done"])))
    return found


class Checkpoint:
    """The checkpoint of one group of seeds while it trains."""

    def __init__(
        self, folder: Path, seeds: Sequence[int], parts: dict[str, Part], minutes: float, stop: Interruption
    ) -> None:
        """Keep `parts` in a file of the folder, at most `minutes` apart and whenever a signal asks for it."""
        self._path, self._seeds, self._parts, self._stop = path_of(folder, seeds), list(seeds), parts, stop
        self._every = 60 * minutes
        self._began = self._last = time.monotonic()
        self._seconds_before = 0.0

    @property
    def seconds(self) -> float:
        """Time that the training has taken, that before interruptions included."""
        return self._seconds_before + time.monotonic() - self._began

    def load(self) -> int:
        """Continue the parts from the file; return the number of epochs done, 0 where there is none."""
        if not self._path.exists():
            return 0
        tensors = read_tensors(self._path)
        if tensors["seeds"].tolist() != self._seeds:
            return 0
        try:
            for name, part in self._parts.items():
                part.load({key.partition(".")[2]: t for key, t in tensors.items() if key.startswith(f"{name}.")})
        except (KeyError, RuntimeError) as error:  # of another version of the program
            set_aside(self._path, f"{self._path} does not fit this configuration")
            raise ResultError("a checkpoint was set aside; the same command starts its seeds anew") from error
        self._seconds_before = float(tensors["seconds"])
        return int(tensors["done"])

    def after(self, epoch: int) -> None:
        """Count an epoch: write the file if it is time or a signal asks for it, then answer the signal."""
        requested = self._stop.requested is not None
        if requested or time.monotonic() - self._last >= self._every:
            self._try_to_save(epoch)
            self._last = time.monotonic()
        if requested:
            self._stop.answer()

    def save(self, epoch: int) -> None:
        """Write the file."""
        kept = {f"{name}.{key}": value for name, part in self._parts.items() for key, value in part.state().items()}
        head = {"seeds": torch.tensor(self._seeds), "done": torch.tensor(epoch)}
        write_tensors(self._path, {**head, "seconds": torch.tensor(self.seconds, dtype=torch.float64), **kept})

    def remove(self) -> None:
        """Remove the file: what it held is among the results."""
        self._path.unlink(missing_ok=True)

    def _try_to_save(self, epoch: int) -> None:
        try:
            self.save(epoch)
        except ResultError as error:  # training can go on, and the disk may be mended meanwhile
            say(f"no checkpoint at epoch {epoch}: {error}")
