"""The section on images: ways to train several classifiers at once, against a loop over a DataLoader."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmark.measure import Cell, Section, Spread, interleaved
from benchmark.processes import Processes
from homotopy.solvers.build import initial_theta
from homotopy.solvers.classifiers import ImageEnsemble
from homotopy.solvers.optimizers import Adam
from homotopy.solvers.vgg import VGG, views
from homotopy.tasks import embedded
from homotopy.tasks.classification import Classification, mix_labels
from homotopy.tasks.images import Images, Mixing
from homotopy.training.device import allow_tf32

STAGES = ((16,), (32,), (64,))  # of conf/model/vgg_small.yaml
BATCH, SAMPLES, LAM, LR = 32, 640, 0.5, 1e-3
SEEDS = 4
LEAST = 0.5  # seconds of a turn
TARGETS = ("FashionMNIST", "CIFAR10")
PER_CORE = "one seed per core"  # what training does on a CPU
COMPILED = "in memory, channels last, fused Adam, torch.compile"


def task(target: str) -> Images:
    """Return the study from MNIST to `target` on the images that come with the package."""
    return Images(
        source="MNIST", target=target, samples=SAMPLES, evaluated=1, test_samples=1, pairing="random",
        images="embedded", root="",
    )  # fmt: skip


def ensemble(deformation: Mixing, seeds: list[int], **options: Any) -> ImageEnsemble:
    """Return the seeds' ensemble at its start."""
    model = VGG(deformation.shape, deformation.classes, STAGES)
    theta = initial_theta(model, seeds, deformation.device, torch.float32)
    return ImageEnsemble(model, Adam(LR), theta, BATCH, **options)


def on_cpu() -> dict[str, dict[str, Any]]:
    """Return the ways to share seeds out among cores, as options of `ImageEnsemble`."""
    cores = torch.get_num_threads()
    return {
        "one seed after the other, all cores": {"threads": 1},
        PER_CORE: {"threads": cores},
        f"{PER_CORE}, bfloat16": {"threads": cores, "bfloat16": True},
        "all seeds as one grouped network, all cores": {"threads": 1, "group": SEEDS},
        "two seeds as one grouped network per core": {"threads": cores, "group": 2},
    }


ON_GPU: dict[str, dict[str, Any]] = {
    "GPU, one seed after the other": {},
    "GPU, one seed after the other, bfloat16": {"bfloat16": True},
    "GPU, all seeds as one grouped network": {"group": SEEDS},
}


def ensembles(deformation: Mixing, ways: dict[str, dict[str, Any]]) -> dict[str, Callable[[], object]]:
    """Return an epoch of `SEEDS` seeds for each way to share them out."""
    problem, seeds = deformation.at(LAM), list(range(SEEDS))
    built = {name: ensemble(deformation, seeds, **options) for name, options in ways.items()}
    return {name: partial(_losses, each, problem) for name, each in built.items()}


def _losses(trained: ImageEnsemble, problem: Classification) -> Tensor:
    """Train an epoch; its losses on the CPU are there when the device has done its work."""
    return trained.epoch(problem, 1, LR).objective.cpu()


def _part(target: str, number: int, processes: int) -> Callable[[], object]:
    """Return an epoch of one process's share of the seeds."""
    seeds = list(range(SEEDS))[number::processes]
    deformation = task(target).load(seeds, torch.device("cpu"), torch.float32)
    return partial(ensemble(deformation, seeds).epoch, deformation.at(LAM), 1, LR)


def network(model: VGG, theta: Tensor) -> nn.Sequential:
    """Return the network, without batch norm, made of PyTorch's own layers, with one seed's parameters theta (P,)."""
    parts = iter([view[0].clone() for view in views(theta.unsqueeze(0), model.trained_shapes())])
    layers: list[nn.Module] = []
    channels = iter(model.convolutions)
    for stage in model.stages:
        for _ in stage:
            layer = nn.Conv2d(*next(channels), 3, padding=1)
            layer.weight.data, layer.bias.data = next(parts).permute(0, 3, 1, 2).contiguous(), next(parts)  # type: ignore[union-attr]
            layers += [layer, nn.ReLU()]
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
    last = nn.Linear(*model.dense[0])
    last.weight.data, last.bias.data = next(parts).t().contiguous(), next(parts)
    return nn.Sequential(*layers, nn.Flatten(), last)


def first_network(deformation: Mixing) -> nn.Sequential:
    """Return seed 0's network at its start, on the CPU."""
    model = VGG(deformation.shape, deformation.classes, STAGES)
    return network(model, initial_theta(model, [0], torch.device("cpu"), torch.float32)[0])


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
    """Pairs of a target image and a random source image, as PIL images through torchvision's transforms."""

    def __init__(self, target: str) -> None:
        from homotopy.tasks import torchvision_import

        transforms = torchvision_import.transforms
        last = [transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
        pad = [] if target == "FashionMNIST" else [transforms.Pad(2), transforms.Grayscale(3)]
        self._source = PILImages("MNIST", transforms.Compose([*pad, *last]))
        self._target = PILImages(target, transforms.Compose(last))

    def __len__(self) -> int:
        """Return the images of an epoch."""
        return SAMPLES

    def __getitem__(self, index: int) -> tuple[Tensor, int, Tensor, int]:
        """Return source image and class, target image and class."""
        partner = int(torch.randint(len(self._source), ()))
        return *self._source[partner], *self._target[index]


class LoaderLoop:
    """Training as in PyTorch's tutorials: a DataLoader, `nn.Sequential`, autograd and `torch.optim.Adam`; one seed."""

    def __init__(self, target: str, deformation: Mixing, workers: int) -> None:
        self._network, self._classes = first_network(deformation), deformation.classes
        self._optimizer = torch.optim.Adam(self._network.parameters(), LR)
        self._loader = DataLoader(Pairs(target), BATCH, True, num_workers=workers, persistent_workers=workers > 0)

    def epoch(self) -> None:
        """Train one epoch."""
        for x_source, source, x_target, target in self._loader:
            x = (1 - LAM) * x_source + LAM * x_target
            loss = functional.cross_entropy(self._network(x), mix_labels(source, target, LAM, self._classes))
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()


class InMemory:
    """The plain loop fed as the ensembles are, one seed; the layout of images, optimizer and compilation as told."""

    def __init__(
        self, deformation: Mixing, layout: torch.memory_format, fused: bool | None, compiled: bool = False
    ) -> None:
        self._network, self._layout = first_network(deformation).to(memory_format=layout), layout  # type: ignore[call-overload]
        self._optimizer = torch.optim.Adam(self._network.parameters(), LR, fused=fused)
        self._forward = torch.compile(self._network) if compiled else self._network
        self._problem = deformation.at(LAM)

    def epoch(self) -> None:
        """Train one epoch of the first seed."""
        for batch in self._problem.batches(slice(0, 1), 1, BATCH, torch.float32):
            loss = batch.loss(self._forward(batch.x[0].contiguous(memory_format=self._layout)).unsqueeze(0)).mean()
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()


def _measure(target: str, rounds: int) -> list[list[Cell]]:
    deformation = task(target).load(range(SEEDS), torch.device("cpu"), torch.float32)
    processes, nchw, nhwc = Processes(partial(_part, target)), torch.contiguous_format, torch.channels_last
    single = {
        "DataLoader": LoaderLoop(target, deformation, 0).epoch,
        "DataLoader with a worker per core": LoaderLoop(target, deformation, torch.get_num_threads()).epoch,
        "in memory": InMemory(deformation, nchw, None).epoch,
        "in memory, channels last": InMemory(deformation, nhwc, None).epoch,
        "in memory, channels last, fused Adam": InMemory(deformation, nhwc, True).epoch,
    }
    if _can_compile():
        single[COMPILED] = InMemory(deformation, nhwc, True, compiled=True).epoch
    several = ensembles(deformation, on_cpu()) | {"one process per core": processes}
    if torch.cuda.is_available():
        several |= ensembles(task(target).load(range(SEEDS), torch.device("cuda"), torch.float32), ON_GPU)
    seconds = interleaved(single | several, rounds, LEAST)
    processes.close()
    per_seed = {name: time / (SEEDS if name in several else 1) for name, time in seconds.items()}
    fastest_loader = min((per_seed[name] for name in list(single)[:2]), key=lambda time: float(np.median(time)))
    rows: list[list[Cell]] = [
        [target, name, Spread.of(time / per_seed[PER_CORE]), Spread.of(fastest_loader / time)]
        for name, time in per_seed.items()
    ]
    return rows if COMPILED in single else [*rows, [target, COMPILED, "left out: no C++ compiler", ""]]


def _can_compile() -> bool:
    return shutil.which(os.environ.get("CXX", "g++")) is not None


def images(rounds: int) -> Section:
    """Training classifiers on images."""
    allow_tf32(False)
    rows = [row for target in TARGETS for row in _measure(target, rounds)]
    text = (
        f"One epoch of {SAMPLES} mixed images per seed, batch {BATCH}, convolutions of 16, 32 and 64 channels, float32 "
        f"unless stated, Adam; {SEEDS} seeds, or one for the loops over a DataLoader and in memory. Time per seed; "
        "the last column is against the faster of the two DataLoader loops. All ensembles have channels last and fused "
        f"Adam. Training uses `{PER_CORE}` (in threads) on a CPU, and one seed after the other on a GPU."
    )
    columns = ["target", "way", f"time, in times of `{PER_CORE}`", "times as fast as a DataLoader"]
    return Section("images", "Training classifiers on images", text, columns, rows)
