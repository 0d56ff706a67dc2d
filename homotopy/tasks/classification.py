"""What an ensemble of classifiers minimises at one lam: cross-entropy on mixed images with mixed labels (Eq. 17-18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from homotopy.algorithm.deformations import linear
from homotopy.streams import Purpose, generator


class ImageSamples(NamedTuple):
    """Images uint8 (N, C, H, W), classes int64 (N,), and which n of these each seed has: `members` int64 (S, n)."""

    pixels: Tensor
    labels: Tensor
    members: Tensor

    def first(self, samples: int | None) -> ImageSamples:
        """Return each seed's first `samples` members, all of them for None."""
        return self._replace(members=self.members[:, :samples])


class Batch(NamedTuple):
    """One mini-batch of G seeds: images x (G, B, C, H, W), classes int64 (G, B) of what was mixed.

    `source` is None where lam = 1: the images are the target's.
    """

    x: Tensor
    target: Tensor
    source: Tensor | None
    lam: float

    def loss(self, logits: Tensor) -> Tensor:
        """Cross-entropy of logits (G, B, classes) with the probabilistic labels of Eq. 18; (G, B).

        It is linear in the label: (1 - lam) times the source class's term plus lam times the target class's.
        """
        log_p = functional.log_softmax(logits.to(torch.promote_types(logits.dtype, torch.float32)), dim=-1)
        loss = -log_p.gather(-1, self.target.unsqueeze(-1)).squeeze(-1)
        if self.source is None:
            return loss
        return self.lam * loss - (1 - self.lam) * log_p.gather(-1, self.source.unsqueeze(-1)).squeeze(-1)


def normalised(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """Map 0..255 to -1..1: one affine map for source and target, so that mixing before or after it is the same."""
    return pixels.to(dtype).div_(127.5).sub_(1)


def mix_labels(source: Tensor, target: Tensor, lam: float, classes: int) -> Tensor:
    """Return the label vectors of Eq. 18, classes int64 (...) to float (..., classes)."""
    return linear(functional.one_hot(source, classes).float(), functional.one_hot(target, classes).float(), lam)


def _random(rng: np.random.Generator, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return rng.integers(len(source), size=len(target))


def _class_matched(rng: np.random.Generator, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Class by class; a target class that the source lacks takes the class with its number modulo the source's."""
    partners = np.empty(len(target), dtype=np.int64)
    present = np.unique(source)
    for label in np.unique(target):
        candidates = np.flatnonzero(source == (label if label in present else present[label % len(present)]))
        places = np.flatnonzero(target == label)
        partners[places] = rng.choice(candidates, size=len(places))
    return partners


class Pairing(NamedTuple):
    """How target images find their source image: a draw of positions, anew in every epoch or once."""

    draw: Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]
    each_epoch: bool


PAIRINGS = {
    "random": Pairing(_random, True),
    "fixed": Pairing(_random, False),
    "class_matched": Pairing(_class_matched, True),
}


def partners(pairing: str, seed: int, epoch: int, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return for each target sample the position of its source sample in `epoch`, given the classes of both."""
    rule = PAIRINGS[pairing]
    return rule.draw(generator(seed, Purpose.PAIRING, epoch if rule.each_epoch else 0), source, target)


@dataclass(frozen=True)
class Classification:
    """H(., lam): cross-entropy on images between `source` and `target`; at lam = 1 only `target` is seen."""

    target: ImageSamples
    source: ImageSamples | None
    lam: float
    seeds: Sequence[int]
    pairing: str = "random"
    shuffling: Purpose = Purpose.SHUFFLING

    @property
    def samples(self) -> int:
        """Images per epoch."""
        return self.target.members.shape[1]

    def batches(self, seeds: slice, epoch: int, batch_size: int, dtype: torch.dtype) -> Iterator[Batch]:
        """Yield the mini-batches of `epoch` for some of the seeds, each seed's in its own order."""
        device = self.target.pixels.device
        orders = [self._order(s, epoch) for s in range(*seeds.indices(len(self.seeds)))]
        target, source = (torch.from_numpy(np.stack(part)).to(device) for part in zip(*orders, strict=True))
        for start in range(0, self.samples, batch_size):
            part = slice(start, start + batch_size)
            yield self._batch(target[:, part], source[:, part], dtype)

    def _order(self, s: int, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the s-th seed's images in the order of `epoch`, target and source, as indices int64 (n,)."""
        seed = self.seeds[s]
        order = generator(seed, self.shuffling, epoch).permutation(self.samples)
        target = self.target.members[s].numpy(force=True)
        if self.source is None or self.lam == 1:
            return target[order], target[order]
        source = self.source.members[s].numpy(force=True)
        classes = [task.labels.numpy(force=True)[own] for task, own in ((self.source, source), (self.target, target))]
        return target[order], source[partners(self.pairing, seed, epoch, *classes)][order]

    def _batch(self, target: Tensor, source: Tensor, dtype: torch.dtype) -> Batch:
        x = normalised(self.target.pixels[target], dtype)
        if self.source is None or self.lam == 1:
            return Batch(x, self.target.labels[target], None, 1.0)
        x = linear(normalised(self.source.pixels[source], dtype), x, self.lam)
        return Batch(x, self.target.labels[target], self.source.labels[source], self.lam)
