"""Checkpoints: what a group of seeds needs to go on after its last whole epoch as if nothing had happened.

Every random draw is a function of seed, purpose and epoch (`homotopy.streams`), so that the parameters, the
optimizer's moments, the curves so far and the number of epochs done are all there is to keep.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from homotopy.errors import ResultError, is_out_of_memory
from homotopy.identity import digest
from homotopy.progress import say
from homotopy.results.files import damage_set_aside, read_head, read_tensors, set_aside, write_tensors
from homotopy.training.interruption import Interruption


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
    return folder / f"checkpoint-{digest(list(seeds))}.pt"


def saved(folder: Path, besides: Sequence[Path] = ()) -> list[Saved]:
    """Return a folder's checkpoints, as their heads have them, but for those `besides`.

    Those whose head is damaged, or of other seeds than the name says, are set aside.
    """
    found = []
    for path in sorted(folder.glob("checkpoint-*.pt")):
        if path not in besides:
            with damage_set_aside(path):
                found.append(_saved(path))
    return found


def _saved(path: Path) -> Saved:
    head = read_head(path)
    if "done" not in head or path != path_of(path.parent, head.get("seeds", [])):
        raise ResultError(f"{path} is truncated or altered: its name is not that of its seeds")
    return Saved(path, tuple(head["seeds"]), head["done"])


class Checkpoint:
    """The checkpoint of one group of seeds while it trains.

    `found` says whether there is one to go on from, and `notes` are kept with it: values for JSON.
    """

    def __init__(self, folder: Path, seeds: Sequence[int], minutes: float, stop: Interruption) -> None:
        """Read the file of these seeds, which is set aside if it is damaged.

        Write it from then on at most `minutes` apart, and whenever a signal asks for it.
        """
        self._path, self._seeds, self._stop = path_of(folder, seeds), list(seeds), stop
        self._every = 60 * minutes
        self._parts: dict[str, Part] = {}
        self._head, self._tensors = self._read()
        self.found = bool(self._head)
        self.notes: dict[str, Any] = self._head.get("notes", {})
        self._began = self._last = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time that the training has taken, that before interruptions included."""
        return self._head.get("seconds", 0.0) + time.monotonic() - self._began

    def resume(self, parts: dict[str, Part]) -> int:
        """Keep these parts from now on; continue them from what was found and return the number of epochs done."""
        self._parts = parts
        self._began = self._last = time.monotonic()
        if not self.found:
            return 0
        tensors, self._tensors = self._tensors, {}
        try:
            for name, part in parts.items():
                part.load({key.partition(".")[2]: t for key, t in tensors.items() if key.startswith(f"{name}.")})
        except (KeyError, RuntimeError) as error:  # of another version of the program
            if is_out_of_memory(error):
                raise
            set_aside(self._path, f"{self._path} does not fit this configuration")
            raise ResultError("a checkpoint was set aside; the same command starts its seeds anew") from error
        return int(self._head["done"])

    def after(self, epoch: int) -> None:
        """Count an epoch: write the file if it is time or a signal asks for it, then answer the signal."""
        requested = bool(self._stop.requested)
        if requested or time.monotonic() - self._last >= self._every:
            self.save(epoch)
            self._last = time.monotonic()
        if requested:
            self._stop.answer()

    def save(self, epoch: int) -> None:
        """Write the file, or say that it cannot be: training can go on, and the disk may be mended meanwhile."""
        kept = {f"{name}.{key}": value for name, part in self._parts.items() for key, value in part.state().items()}
        head = {"seeds": self._seeds, "done": epoch, "seconds": self.seconds, "notes": self.notes}
        try:
            write_tensors(self._path, head, kept)
        except ResultError as error:
            say(f"no checkpoint at epoch {epoch}: {error}")

    def remove(self) -> None:
        """Remove the file: what it held is among the results."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return the file's head and tensors, nothing at all where it is missing, damaged or of other seeds."""
        if self._path.exists():
            with damage_set_aside(self._path):
                head, tensors = read_tensors(self._path)
                if head.get("seeds") == self._seeds:
                    return head, tensors
        return {}, {}
