"""The real images that come with the package: of each data set the first 5,000 for training and 1,000 for testing.

README.md, beside them, has their licences and says which images of CIFAR-10 are left out; scripts/embed.py makes them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from homotopy.errors import DataError
from homotopy.tasks.datasets import ImageSet, Provenance, Split, checksum

FOLDER = Path(__file__).parent
INDEX = "index.json"  # {data set: {"classes": [...], split: {"files": [...], "labels": "5041...", "md5": ...}}}
SIZES = {"MNIST": 28, "FashionMNIST": 28, "CIFAR10": 32}  # of an image, in pixels


def load(name: str) -> ImageSet:
    """Read one of the data sets of `SIZES`; DataError if a file is missing or not what the package brought."""
    try:
        known = json.loads((FOLDER / INDEX).read_bytes())[name]
        train, test = (_read(known[split], SIZES[name]) for split in ("train", "test"))
    except Exception as error:  # a damaged image can raise anything
        raise DataError(f"{name}: the embedded images in {FOLDER} cannot be read ({error})") from error
    md5 = {"train": checksum(train), "test": checksum(test)}
    for split, found in md5.items():
        if found != known[split]["md5"]:
            raise DataError(f"{name}: the embedded {split} images in {FOLDER} are not the package's: install it again")
    return ImageSet(train, test, tuple(known["classes"]), Provenance(name, None, md5, "embedded images"))


def _read(known: dict[str, Any], size: int) -> Split:
    labels = torch.tensor([int(digit) for digit in known["labels"]])
    pixels = np.concatenate([tiles(_pixels(FOLDER / file), size) for file in known["files"]])
    return Split(torch.from_numpy(pixels), labels)


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def tiles(mosaic: np.ndarray, size: int) -> np.ndarray:
    """Cut a mosaic (H, W) or (H, W, C), row by row, into images (N, C, size, size)."""
    rows, columns = mosaic.shape[0] // size, mosaic.shape[1] // size
    parts = mosaic.reshape(rows, size, columns, size, -1).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(parts.reshape(rows * columns, -1, size, size))
