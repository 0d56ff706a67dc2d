"""Tasks by name: a frozen dataclass of settings that loads the data of a set of seeds."""

from __future__ import annotations

from typing import Any

from homotopy.tasks.images import ImageFolders, Images
from homotopy.tasks.sine import Sine

TASKS: dict[str, type] = {"sine": Sine, "images": Images, "image_folder": ImageFolders}


def check_data(task: Any) -> None:
    """Raise DataError if a task's files are missing, damaged or not the official ones; the sine study has none."""
    if not isinstance(task, Sine):
        task.check_data()
