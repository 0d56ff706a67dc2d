"""Image data sets: found under one root, checked file by file, and held in memory as uint8 tensors.

The files are those of `torchvision.datasets`, which does not check what it once extracted: here every file's md5 is
compared with the official one whenever it is loaded, and what was found goes with the data, for each run's metadata.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from homotopy.errors import DataError
from homotopy.flock import locked
from homotopy.progress import say

# beside the files of an inexact copy: {"md5": {file: md5}, "train": [indices that differ], "test": [...]}
DECLARED = "inexact.json"
_TIMEOUT = 30  # seconds without an answer until a download fails


class Files(NamedTuple):
    """A data set's folder under the root, its files with their official md5s, and the figures that need all of it.

    `training` is how many of its images are for training.
    """

    folder: str
    md5: dict[str, str]
    figures: str
    training: int


DATASETS = {
    "MNIST": Files(
        "MNIST/raw",
        {
            "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
            "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
            "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
            "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
        },
        "fig3a, fig3b",
        60_000,
    ),
    "FashionMNIST": Files(
        "FashionMNIST/raw",
        {
            "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
            "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
            "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
        },
        "fig3a",
        60_000,
    ),
    "CIFAR10": Files(
        "cifar-10-batches-py",
        {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        },
        "fig3b",
        50_000,
    ),
}


class Provenance(NamedTuple):
    """Where a data set came from: each file's md5, whether all of them are the official ones, and what differs."""

    name: str
    official: bool | None  # None where there is no official version, or a part of it
    md5: dict[str, str]
    note: str


class Split(NamedTuple):
    """Images uint8 (N, C, H, W) in 0..255 and their classes int64 (N,)."""

    pixels: Tensor
    labels: Tensor


@dataclass(frozen=True)
class ImageSet:
    """A data set's training and test images, the names of its classes and its provenance."""

    train: Split
    test: Split
    classes: tuple[str, ...]
    provenance: Provenance

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every image."""
        channels, height, width = self.train.pixels.shape[1:]
        return channels, height, width


def load(name: str, root: Path, verify: bool = True) -> ImageSet:
    """Read the data set `name` of `DATASETS` below `root`; DataError if a file is missing, damaged or not official.

    `verify=False` lets files pass that are not the official ones. CIFAR-10's are pickles, which can run code when
    read: use it for files you trust.
    """
    provenance = check(name, root, verify)
    try:
        train, test = (_read(name, root, train) for train in (True, False))
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(f"{name}: the files in {root / DATASETS[name].folder} cannot be read ({error})") from error
    return ImageSet(_split(train), _split(test), tuple(train.classes), provenance)


def check(name: str, root: Path, verify: bool = True) -> Provenance:
    """Return the md5 of every file of a data set; DataError if one is missing or not what it should be."""
    folder, official, *_ = DATASETS[name]
    for file in official:
        if not (root / folder / file).is_file():
            raise DataError(
                f"{name}: {root / folder / file} is missing (md5 {official[file]}): "
                "run `python scripts/data.py`, or put the file there"
            )
    found = {file: _md5(root / folder / file) for file in official}
    declared = {} if verify else _declared(root / folder)
    for file, md5 in found.items():
        expected = declared.get("md5", {}).get(file) or (official[file] if verify else md5)
        if md5 not in (expected, official[file]):
            remedy = "put the right file there" + (", or set task.images=unofficial to use this one" if verify else "")
            raise DataError(f"{name}: {root / folder / file} has md5 {md5}, expected {expected}: {remedy}")
    return Provenance(name, found == official, found, _difference(found == official, declared))


def unusable(root: Path) -> list[str]:
    """Return a line for each data set that `check` refuses: the figures that need it, and what to do."""
    lines = []
    for name, files in DATASETS.items():
        try:
            check(name, root)
        except DataError as error:
            lines.append(f"{files.figures}: {error}")
    return lines


def _md5(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def _declared(folder: Path) -> dict:
    path = folder / DECLARED
    try:
        found = json.loads(path.read_bytes()) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error})") from error
    kinds = {"md5": dict, "train": list, "test": list}
    if not isinstance(found, dict) or any(not isinstance(found.get(key, kind()), kind) for key, kind in kinds.items()):
        raise DataError(f'{path} must be {{"md5": {{file: md5}}, "train": [images], "test": [images]}}')
    return found


def _difference(official: bool, declared: dict) -> str:
    if official:
        return ""
    inexact = len(declared.get("train", [])) + len(declared.get("test", []))
    return f"not the official files ({inexact} images differ)" if inexact else "not the official files"


def _read(name: str, root: Path, train: bool):
    # imported here and not above, since that takes seconds and most commands need no images
    from homotopy.tasks import torchvision_import

    return getattr(torchvision_import, name)(root, train=train, download=False)


def _split(dataset) -> Split:
    pixels, labels = torch.as_tensor(dataset.data), torch.as_tensor(dataset.targets, dtype=torch.int64)
    pixels = pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
    return Split(pixels.contiguous(), labels)


def load_folder(path: Path, size: int, channels: int) -> ImageSet:
    """Read images `path`/train/<class>/* and `path`/test/<class>/*, resized to size x size, with 1 or 3 channels."""
    classes = check_folder(path)
    train, test = (_read_folder(path / part, size, channels) for part in ("train", "test"))
    md5 = {part: checksum(split) for part, split in (("train", train), ("test", test))}
    return ImageSet(train, test, classes, Provenance(path.name, None, md5, ""))


def check_folder(path: Path) -> tuple[str, ...]:
    """Return the names of the classes in `path`/train and `path`/test; DataError if there are none or they differ."""
    classes, test_classes = (_classes(path / part) for part in ("train", "test"))
    if classes != test_classes:
        train_only, test_only = (", ".join(names) for names in (classes, test_classes))
        raise DataError(f"{path}: the classes of train ({train_only}) and test ({test_only}) differ")
    return classes


def _classes(path: Path) -> tuple[str, ...]:
    try:
        classes = tuple(sorted(entry.name for entry in os.scandir(path) if entry.is_dir()))
    except OSError as error:
        raise DataError(f"{path}: expected one folder of images per class ({error.strerror})") from error
    if not classes:
        raise DataError(f"{path}: expected one folder of images per class (there is none)")
    return classes


def count_images(path: Path) -> int:
    """Return the number of images in `path`/<class>/*, which are not read; DataError if a class has none."""
    return len(_image_folder(path))


def _image_folder(path: Path, transform: Any = None) -> Any:
    from homotopy.tasks import torchvision_import

    try:
        return torchvision_import.datasets.ImageFolder(path, transform)
    except OSError as error:  # a class without images
        raise DataError(f"{path}: {str(error).splitlines()[0]}") from error


def _read_folder(path: Path, size: int, channels: int) -> Split:
    from homotopy.tasks import torchvision_import

    transforms = torchvision_import.transforms
    grey = [transforms.Grayscale()] if channels == 1 else []  # images are opened with three channels
    steps = [transforms.Resize((size, size)), *grey, transforms.PILToTensor()]
    folder = _image_folder(path, transforms.Compose(steps))
    pixels = torch.stack([_image(folder, i) for i in range(len(folder))])
    return Split(pixels, torch.tensor(folder.targets))


def _image(folder: Any, index: int) -> Tensor:
    try:
        return folder[index][0]
    except Exception as error:  # a damaged image can raise anything
        raise DataError(f"{folder.samples[index][0]} is no image that can be read ({error})") from error


def checksum(split: Split) -> str:
    """Return the md5 of pixels (N, C, H, W) and classes, as bytes of uint8 and of int64."""
    digest = hashlib.md5(split.pixels.numpy().tobytes())
    digest.update(split.labels.numpy().tobytes())
    return digest.hexdigest()


def fit(images: ImageSet, shape: tuple[int, int, int]) -> ImageSet:
    """Bring images to (C, H, W) as Section 5.2 does MNIST to CIFAR-10's: zeros around them, a grey channel repeated."""
    train, test = (split._replace(pixels=_fit(split.pixels, shape)) for split in (images.train, images.test))
    return replace(images, train=train, test=test)


def _fit(pixels: Tensor, shape: tuple[int, int, int]) -> Tensor:
    channels, height, width = shape
    down, right = height - pixels.shape[2], width - pixels.shape[3]
    padded = functional.pad(pixels, (right // 2, right - right // 2, down // 2, down - down // 2))
    return padded.expand(-1, channels, -1, -1).contiguous()


def common_shape(*sets: ImageSet) -> tuple[int, int, int]:
    """Return the (C, H, W) that holds the images of every set."""
    channels, height, width = (max(extent) for extent in zip(*(images.shape for images in sets), strict=True))
    return channels, height, width


def download(name: str, root: Path) -> list[Path]:
    """Fetch the files of a data set that are not below `root` yet, one process at a time; return their paths.

    What is there already is left alone, whatever it contains. DataError if a file cannot be fetched.
    """
    if not _missing(name, root):
        return []
    try:
        root.mkdir(parents=True, exist_ok=True)
        with locked(root / ".download.lock", lambda: say(f"waiting for another process that downloads to {root}")):
            return _fetch(name, root) if _missing(name, root) else []
    except (OSError, HTTPException, RuntimeError, EOFError, DataError) as error:
        files, reason = DATASETS[name], (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise DataError(
            f"{name} is not below {root} and cannot be downloaded ({reason}); without it there is no {files.figures}: "
            f"put {', '.join(files.md5)} into {root / files.folder}"
        ) from error


def _missing(name: str, root: Path) -> list[Path]:
    files = DATASETS[name]
    return [Path(files.folder, file) for file in files.md5 if not (root / files.folder / file).is_file()]


def _fetch(name: str, root: Path) -> list[Path]:
    from homotopy.tasks import torchvision_import

    with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as fresh, _timeout(_TIMEOUT):
        getattr(torchvision_import.datasets, name)(fresh, download=True)
        check(name, Path(fresh))
        files = _missing(name, root)
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            os.replace(Path(fresh, file), root / file)
    return [root / file for file in files]


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
