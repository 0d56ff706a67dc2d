"""Tasks by name: a frozen dataclass of settings that loads the data of a set of seeds."""

from __future__ import annotations

from homotopy.tasks.images import ImageFolders, Images
from homotopy.tasks.sine import Sine

TASKS: dict[str, type] = {"sine": Sine, "images": Images, "image_folder": ImageFolders}
