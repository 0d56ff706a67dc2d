"""Which copy of whole image data sets an experiment is read from: the official files, or unofficial ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from homotopy.results.files import RUNS

if TYPE_CHECKING:
    from homotopy.job import Job

Of = TypeVar("Of")


def unofficial(job: Job) -> Job:
    """Return the job that trains the same on unofficial files: itself if it does not ask for the official ones."""
    from homotopy.job import parse  # here, as outlines that are kept are read without PyTorch

    task = job.composed["task"]
    return parse({**job.composed, "task": task | {"images": "unofficial"}}) if task.get("images") == "official" else job


def chosen(asked: Sequence[Of], others: Callable[[], Sequence[Of]], folder: Callable[[Of], Path]) -> Sequence[Of]:
    """Return what an experiment asks for, or the others, on unofficial files, if they alone have results.

    All of an experiment is read from the one or all from the other, so that no figure mixes them.
    """

    def any_runs(found: Sequence[Of]) -> bool:
        return any((folder(each) / RUNS).exists() for each in found)

    if any_runs(asked):
        return asked
    found = others()
    return found if any_runs(found) else asked
