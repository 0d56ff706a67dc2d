"""Tasks by name."""

from __future__ import annotations

from homotopy.tasks.images import ImageFolders, Images
from homotopy.tasks.sine import Sine
from homotopy.tasks.task import Task

TASKS: dict[str, type[Task]] = {"sine": Sine, "images": Images, "image_folder": ImageFolders}
