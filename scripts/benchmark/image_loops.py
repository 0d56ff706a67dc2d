"""Loops that train one classifier as PyTorch's users write them, to compare our solver with."""

from __future__ import annotations

from collections.abc import Callable

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmark.course import Moment
from benchmark.solvers import MOMENTS
from homotopy.solvers.vgg import VGG
from homotopy.tasks import embedded, torchvision_import
from homotopy.tasks.classification import Classification, mix_labels


def first_seed(
    model: VGG, moment: Moment, lr: float, layout: torch.memory_format, fused: bool | None
) -> tuple[nn.Sequential, torch.optim.Adam]:
    """Return the first seed's network (no batch norm) as PyTorch writes it, and its Adam, both as at the moment."""
    network, mean, square = (model.module(moment.state[name][0]).to(memory_format=layout) for name in MOMENTS)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), lr, fused=fused)
    for parameter, *moments in zip(network.parameters(), mean.parameters(), square.parameters(), strict=True):
        named = dict(zip(MOMENTS[1:], (value.detach() for value in moments), strict=True))
        optimizer.state[parameter] = {"step": moment.state["step"].clone(), **named}
    return network, optimizer


class PILImages(Dataset):
    """The training images of a data set, each made a PIL image and transformed when asked for, as torchvision does."""

    def __init__(self, name: str, transform: Callable[[Image.Image], Tensor]) -> None:
        split = embedded.load(name).train
        self._pixels = split.pixels.permute(0, 2, 3, 1).squeeze(-1).numpy()
        self._labels, self._transform = split.labels.tolist(), transform

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return an image and its class."""
        return self._transform(Image.fromarray(self._pixels[index])), self._labels[index]


class Pairs(Dataset):
    """So many pairs of a target image and a random source image, as PIL images through torchvision's transforms."""

    def __init__(self, target: str, samples: int) -> None:
        transforms = torchvision_import.transforms
        last = [transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
        pad = [] if target == "FashionMNIST" else [transforms.Pad(2), transforms.Grayscale(3)]
        self._source = PILImages("MNIST", transforms.Compose([*pad, *last]))
        self._target, self._samples = PILImages(target, transforms.Compose(last)), samples

    def __len__(self) -> int:
        """Return the images of an epoch."""
        return self._samples

    def __getitem__(self, index: int) -> tuple[Tensor, int, Tensor, int]:
        """Return source image and class, target image and class."""
        partner = int(torch.randint(len(self._source), ()))
        return *self._source[partner], *self._target[index]


class LoaderLoop:
    """Training as in PyTorch's tutorials: a DataLoader, `nn.Sequential`, autograd and `torch.optim.Adam`; one seed."""

    def __init__(self, pairs: Pairs, batch_size: int, model: VGG, moment: Moment, lr: float, workers: int) -> None:
        """Start from the first seed at the moment."""
        self._classes, self._lam = model.classes, moment.lam
        self._network, self._optimizer = first_seed(model, moment, lr, torch.contiguous_format, None)
        self._loader = DataLoader(pairs, batch_size, True, num_workers=workers, persistent_workers=workers > 0)

    def epoch(self) -> None:
        """Train one epoch."""
        for x_source, source, x_target, target in self._loader:
            x = (1 - self._lam) * x_source + self._lam * x_target
            loss = functional.cross_entropy(self._network(x), mix_labels(source, target, self._lam, self._classes))
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()


class InMemory:
    """The plain loop fed as the ensembles are, one seed; the layout of images, optimizer and compilation as told."""

    def __init__(
        self,
        problem: Classification,
        batch_size: int,
        model: VGG,
        moment: Moment,
        lr: float,
        layout: torch.memory_format = torch.contiguous_format,
        fused: bool | None = None,
        compiled: bool = False,
    ) -> None:
        """Start from the first seed at the moment."""
        self.network, self._optimizer = first_seed(model, moment, lr, layout, fused)
        self._forward = torch.compile(self.network) if compiled else self.network
        self._problem, self._batch_size, self._layout = problem, batch_size, layout

    def epoch(self) -> None:
        """Train one epoch of the first seed."""
        for batch in self._problem.batches(slice(0, 1), 1, self._batch_size, torch.float32):
            loss = batch.loss(self._forward(batch.x[0].contiguous(memory_format=self._layout)).unsqueeze(0)).mean()
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
