"""Image classification: from one data set to another by mixing images and labels (Sections 4.2.2 and 5.2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble
from homotopy.errors import ConfigError, all_of
from homotopy.settings import FOLDER, at_least, is_path, one_of, rule
from homotopy.streams import Purpose, generator
from homotopy.tasks import embedded
from homotopy.tasks.classification import PAIRINGS, Classification, ImageSamples
from homotopy.tasks.datasets import (
    DATASETS,
    ImageSet,
    Split,
    check,
    check_folder,
    common_shape,
    count_images,
    fit,
    load,
    load_folder,
)

# parts of a seed's data stream; the numbers are part of every result
_TARGET, _TEST, _SOURCE = range(3)


def _count(what: str) -> Any:
    return rule(at_least(1), f"an integer of at least 1, or null for all ({what})")


def _data_set() -> Any:
    return rule(lambda v: v in DATASETS, " or ".join(DATASETS))


@dataclass(frozen=True, kw_only=True)
class Classifying(ABC):
    """What every study between two sets of images has in common."""

    source: str = rule(is_path, FOLDER)
    target: str = rule(is_path, FOLDER)
    samples: int | None = _count("training images of each data set that a seed draws")
    evaluated: int | None = _count("of these, target images on which loss and accuracy are measured")
    test_samples: int | None = _count("test images that a seed draws")
    pairing: str = rule(lambda v: v in PAIRINGS, " or ".join(PAIRINGS))
    models: ClassVar[tuple[str, ...]] = ("vgg",)
    ends_at_target: ClassVar[bool] = True
    tries_steps: ClassVar[bool] = False  # each seed's own lam would need each seed's own mixture of a batch
    without_effect: ClassVar[tuple[str, ...]] = ()  # settings that cannot change a run's numbers

    @property
    def label(self) -> str:
        """The task's folder among the results."""
        return f"{Path(self.source).name}-{Path(self.target).name}".lower()

    @property
    def title(self) -> str:
        """The task above a figure."""
        return f"{Path(self.source).name} to {Path(self.target).name}"

    @property
    def training_samples(self) -> int | None:
        """Images that are trained on; None where only the data can tell."""
        return self.samples

    @property
    def no_more(self) -> str:
        """What is said where more images are asked for than there are."""
        return "there are no more"

    def identity(self, *, needs_source: bool, needs_path: bool) -> dict[str, object]:
        """Return the settings that can change a run's numbers."""
        unused = (*self.without_effect, *(() if needs_path else ("pairing",)))
        return {name: value for name, value in asdict(self).items() if name not in unused}

    def source_identity(self) -> dict[str, object]:
        """Return the settings that can change the source solution; the target gives the images' shape."""
        unused = (*self.without_effect, "pairing", "evaluated", "test_samples")
        return {name: value for name, value in asdict(self).items() if name not in unused}

    def load(self, seeds: Sequence[int], device: torch.device, dtype: torch.dtype) -> Mixing:
        """Read both data sets, draw every seed's images, and return the deformation between them."""
        source, target = self.sets()
        shape = common_shape(source, target)
        return Mixing(self, fit(source, shape), fit(target, shape), seeds, device)

    def check_counts(self, source: int, target: int, test: int) -> None:
        """Raise ConfigError if more is asked for than there is: training images of both sets, and the target's test."""
        for key, count, there in (
            ("samples", self.samples, min(source, target)),
            ("test_samples", self.test_samples, test),
            ("evaluated", self.evaluated, self.samples or target),
        ):
            if count is not None and count > there:
                raise ConfigError(f"task.{key}", count, f"at most {there}, or null for all: {self.no_more}")

    @abstractmethod
    def check_data(self) -> None:
        """Raise DataError or ConfigError if source or target cannot be used, as `load` would, but soon."""

    @abstractmethod
    def sets(self) -> tuple[ImageSet, ImageSet]:
        """Read source and target."""


@dataclass(frozen=True, kw_only=True)
class Images(Classifying):
    """Settings of a study between two of torchvision's data sets.

    `images` says which are used: with `embedded` those that come with the package, with `official` the whole data sets
    below `root`, whose files must be the official ones, and with `unofficial` whatever files are there. Results of
    unofficial files have a folder of their own.
    """

    source: str = _data_set()
    target: str = _data_set()
    images: str = rule(one_of("embedded", "official", "unofficial"), "embedded, official or unofficial")
    root: str = rule(is_path, FOLDER)
    name: str = "images"
    without_effect: ClassVar[tuple[str, ...]] = ("root",)

    @property
    def label(self) -> str:
        """The task's folder among the results."""
        return f"{super().label}-unofficial" if self.images == "unofficial" else super().label

    @property
    def training_samples(self) -> int | None:
        """Images that are trained on; None where all that come with the package are."""
        return self.samples or (DATASETS[self.target].training if self.images != "embedded" else None)

    @property
    def no_more(self) -> str:
        """What is said where more images are asked for than there are."""
        return f"{super().no_more}; task.images=official has all" if self.images == "embedded" else super().no_more

    def identity(self, *, needs_source: bool, needs_path: bool) -> dict[str, object]:
        """Return the settings that can change a run's numbers; whole data sets are told apart by the label."""
        used = super().identity(needs_source=needs_source, needs_path=needs_path)
        if self.images != "embedded":
            del used["images"]
        return used

    def check_data(self) -> None:
        """Compare every file's checksum, and count the images where a setting depends on it."""
        if self.images != "embedded":
            official = self.images == "official"
            all_of(partial(check, name, Path(self.root), official) for name in (self.source, self.target))
        if self.images == "embedded" or (self.samples, self.evaluated, self.test_samples) != (None, None, None):
            source, target = self.sets()
            self.check_counts(len(source.train.labels), len(target.train.labels), len(target.test.labels))

    def sets(self) -> tuple[ImageSet, ImageSet]:
        """Read source and target; DataError if a file is missing, damaged or not what `images` says."""
        return self._read(self.source), self._read(self.target)

    def _read(self, name: str) -> ImageSet:
        if self.images == "embedded":
            return embedded.load(name)
        return load(name, Path(self.root), self.images == "official")


@dataclass(frozen=True, kw_only=True)
class ImageFolders(Classifying):
    """Settings of a study between two folders train/<class>/*, test/<class>/*, images resized to size x size."""

    size: int = rule(at_least(1), "an integer of at least 1 (pixels)")
    channels: int = rule(one_of(1, 3), "1 (grey) or 3 (colour)")
    name: str = "image_folder"

    def check_data(self) -> None:
        """Look for the classes of both, and count their images."""
        source, target = Path(self.source), Path(self.target)
        for path in (source, target):
            check_folder(path)
        self.check_counts(*(count_images(path) for path in (source / "train", target / "train", target / "test")))

    def sets(self) -> tuple[ImageSet, ImageSet]:
        """Read source and target; DataError if they are not such folders."""
        source, target = (load_folder(Path(path), self.size, self.channels) for path in (self.source, self.target))
        return source, target


class Mixing:
    """The deformation of Eq. 17-18. The label space is the larger of the two."""

    def __init__(
        self, task: Classifying, source: ImageSet, target: ImageSet, seeds: Sequence[int], device: torch.device
    ) -> None:
        """Draw every seed's images from two sets of one shape, and keep them on the device as uint8."""
        self._seeds, self._pairing, self.device = seeds, task.pairing, device
        self.shape, self.classes = target.shape, max(len(source.classes), len(target.classes))
        self.provenance = [images.provenance._asdict() for images in (source, target)]
        task.check_counts(len(source.train.labels), len(target.train.labels), len(target.test.labels))
        self._source = _draw(source.train, task.samples, seeds, _SOURCE, device)
        self._target = _draw(target.train, task.samples, seeds, _TARGET, device)
        self._test = _draw(target.test, task.test_samples, seeds, _TEST, device)
        self._evaluated = self._target.first(task.evaluated)

    def source(self) -> Classification:
        """Return the source task's problem."""
        return Classification(self._source, None, 1.0, self._seeds, shuffling=Purpose.SOURCE_SHUFFLING)

    def at(self, lam: float) -> Classification:
        """Return the problem H(., lam)."""
        return Classification(self._target, self._source, lam, self._seeds, self._pairing)

    def target(self) -> Classification:
        """Return the target task's problem."""
        return Classification(self._target, None, 1.0, self._seeds)

    def metrics(self, ensemble: Ensemble) -> dict[str, Tensor]:
        """Return loss and accuracy on the target's `evaluated` training images and on its test images."""
        train, test = ensemble.evaluate(self._evaluated), ensemble.evaluate(self._test)
        return {
            "target_loss": train.loss,
            "target_accuracy": train.accuracy,
            "test_loss": test.loss,
            "accuracy": test.accuracy,
        }


def _draw(split: Split, samples: int | None, seeds: Sequence[int], part: int, device: torch.device) -> ImageSamples:
    """Draw `samples` images for every seed, without replacement, in a random order; all of them for None."""
    members = [generator(seed, Purpose.DATA, part).permutation(len(split.labels))[:samples] for seed in seeds]
    return ImageSamples(*(tensor.to(device) for tensor in (*split, torch.from_numpy(np.stack(members)))))
