"""Where the tests find whole image data sets, and small ones in the same files, made of the embedded images."""

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from homotopy.tasks import embedded
from homotopy.tasks.datasets import DATASETS, Split

ROOT = Path(os.environ.get("HOMOTOPY_DATA", "data")).resolve()
ABSENT = [name for name, files in DATASETS.items() if not all((ROOT / files.folder / f).is_file() for f in files.md5)]
needs_images = pytest.mark.skipif(bool(ABSENT), reason=f"HOMOTOPY_DATA: no {', '.join(ABSENT)} below {ROOT}")


def write_small(name: str, root: Path, train: int = 300, test: int = 100) -> Path:
    """Write a data set's first images as torchvision's files; return their folder."""
    images, folder = embedded.load(name), root / DATASETS[name].folder
    folder.mkdir(parents=True)
    parts = {"train": _first(images.train, train), "test": _first(images.test, test)}
    if name == "CIFAR10":
        _write_batches(folder, parts["train"], parts["test"], images.classes)
    else:
        _write_idx(folder, parts["train"], "train"), _write_idx(folder, parts["test"], "t10k")
    return folder


def _first(split: Split, count: int) -> Split:
    return Split(split.pixels[:count], split.labels[:count])


def _write_idx(folder: Path, split: Split, name: str) -> None:
    for what, values in (("images-idx3", split.pixels[:, 0]), ("labels-idx1", split.labels)):
        head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
        (folder / f"{name}-{what}-ubyte").write_bytes(head + values.numpy().astype(np.uint8).tobytes())


def _write_batches(folder: Path, train: Split, test: Split, classes: tuple[str, ...]) -> None:
    parts = [
        train._replace(pixels=p, labels=q) for p, q in zip(train.pixels.chunk(5), train.labels.chunk(5), strict=True)
    ]
    for name, split in zip([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"], [*parts, test], strict=True):
        batch = {"data": split.pixels.flatten(1).numpy(), "labels": split.labels.tolist()}
        (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(classes)}))


def change_a_pixel(folder: Path, image: int = 7) -> None:
    """Change one pixel of an image in the first training batch of CIFAR-10 by one grey level."""
    batch = pickle.loads((folder / "data_batch_1").read_bytes())
    batch["data"] = batch["data"].copy()
    batch["data"][image, 1000] ^= 1
    (folder / "data_batch_1").write_bytes(pickle.dumps(batch))
