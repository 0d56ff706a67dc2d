"""The sections on images: ways to train several classifiers at once, against loops and the convolutions alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmark import course, machine
from benchmark.convolutions import Convolutions
from benchmark.course import Moment
from benchmark.image_loops import InMemory, LoaderLoop, Pairs
from benchmark.measure import Cell, Section, Spread, interleaved
from benchmark.processes import Processes
from homotopy import compose
from homotopy.config import from_dict
from homotopy.solvers.build import initial_theta
from homotopy.solvers.classifiers import ImageEnsemble
from homotopy.solvers.native import Unavailable, compiler
from homotopy.solvers.optimizers import Adam
from homotopy.solvers.vgg import VGG
from homotopy.tasks.classification import Classification
from homotopy.tasks.images import Images, Mixing
from homotopy.training.device import allow_tf32

NETWORKS = {"images": "vgg_small", "images_deep": "vgg16_narrow"}  # of each section, by its file in conf/model
BATCH, SAMPLES, LAM, LR = 32, 640, 0.5, 1e-3
SEEDS = 4
DONE = 60  # epochs before the first that is timed: enough for moments of units that are off to decay into subnormals
LEAST = 0.5  # seconds of a turn
TARGETS = ("FashionMNIST", "CIFAR10")
PER_CORE = "one seed per core"  # what training does on a CPU
KEPT = f"{PER_CORE}, subnormals kept"
ALONE = "the convolutions alone, one seed per core"
COMPILED = "in memory, channels last, fused Adam, torch.compile"

Way = Callable[..., ImageEnsemble]


class KeptSubnormals(ImageEnsemble):
    """Our solver as it would be if its threads did not flush subnormal numbers: the same bits, at another speed."""

    def _train(self, *arguments: object) -> Tensor:
        torch.set_flush_denormal(False)  # holds for this thread, which is the ensemble's own
        return super()._train(*arguments)  # type: ignore[arg-type]


def task(target: str) -> Images:
    """Return the study from MNIST to `target` on the images that come with the package."""
    return Images(
        source="MNIST", target=target, samples=SAMPLES, evaluated=1, test_samples=1, pairing="random",
        images="embedded", root="",
    )  # fmt: skip


def network(name: str, deformation: Mixing) -> VGG:
    """Return the network that conf/model/<name>.yaml describes, for the deformation's images and classes."""
    (raw,) = compose.jobs(["task=mnist_fashion", f"model={name}"])
    return from_dict(raw).model.network(deformation)


def late(model: VGG, deformation: Mixing) -> Moment:
    """Train all seeds for `DONE` epochs; the state, with its subnormal numbers, from which all contestants go on."""
    theta = initial_theta(model, range(SEEDS), torch.device("cpu"), torch.float32)
    trained = KeptSubnormals(model, Adam(LR), theta, BATCH)
    for epoch in range(1, DONE + 1):
        trained.epoch(deformation.at(LAM), epoch, LR)
    return Moment(DONE, LAM, trained.state())


def on_cpu() -> dict[str, Way]:
    """Return the ways to share seeds out among cores."""
    cores = torch.get_num_threads()
    return {
        "one seed after the other, all cores": partial(ImageEnsemble, threads=1),
        PER_CORE: partial(ImageEnsemble, threads=cores),
        KEPT: partial(KeptSubnormals, threads=cores),
        f"{PER_CORE}, bfloat16": partial(ImageEnsemble, threads=cores, bfloat16=True),
        "all seeds as one grouped network, all cores": partial(ImageEnsemble, threads=1, group=SEEDS),
        "two seeds as one grouped network per core": partial(ImageEnsemble, threads=cores, group=2),
    }


ON_GPU: dict[str, Way] = {
    "GPU, one seed after the other": ImageEnsemble,
    "GPU, one seed after the other, bfloat16": partial(ImageEnsemble, bfloat16=True),
    "GPU, all seeds as one grouped network": partial(ImageEnsemble, group=SEEDS),
}


def ensemble(way: Way, model: VGG, state: dict[str, Tensor], device: torch.device) -> ImageEnsemble:
    """Return an ensemble that goes on from the state of its seeds."""
    built = way(model, Adam(LR), state["theta"].to(device), BATCH)
    built.load(state)
    return built


def ensembles(ways: dict[str, Way], model: VGG, moment: Moment, deformation: Mixing) -> dict[str, Callable[[], object]]:
    """Return an epoch of `SEEDS` seeds for each way to share them out, on the deformation's device."""
    problem = deformation.at(LAM)
    built = {name: ensemble(way, model, moment.state, deformation.device) for name, way in ways.items()}
    return {name: partial(_losses, each, problem) for name, each in built.items()}


def _losses(trained: ImageEnsemble, problem: Classification) -> Tensor:
    """Train an epoch; its losses on the CPU are there when the device has done its work."""
    return trained.epoch(problem, 1, LR).objective.cpu()


def _part(target: str, model: VGG, path: Path, number: int, processes: int) -> Callable[[], object]:
    """Return an epoch of one process's share of the seeds."""
    seeds, cpu = list(range(SEEDS))[number::processes], torch.device("cpu")
    state = {name: value[seeds] if value.ndim else value for name, value in course.read(path).state.items()}
    problem = task(target).load(seeds, cpu, torch.float32).at(LAM)
    return partial(ensemble(ImageEnsemble, model, state, cpu).epoch, problem, 1, LR)


class _Measured(NamedTuple):
    """The rows of a target, and the sentence that tells its rates."""

    rows: list[list[Cell]]
    rates: str


def _measure(target: str, name: str, rounds: int) -> _Measured:
    deformation = task(target).load(range(SEEDS), torch.device("cpu"), torch.float32)
    model = network(name, deformation)
    moment = late(model, deformation)
    alone = Convolutions(model, moment.state["theta"], deformation.at(LAM), BATCH)
    with tempfile.TemporaryDirectory() as folder:
        moment.write(Path(folder) / "moment.pt")
        processes = Processes(partial(_part, target, model, Path(folder) / "moment.pt"), SEEDS)
    single = _loops(target, model, moment, deformation.at(LAM))
    several = {ALONE: alone.epoch} | ensembles(on_cpu(), model, moment, deformation)
    several["one process per core"] = processes
    if torch.cuda.is_available():
        there = task(target).load(range(SEEDS), torch.device("cuda"), torch.float32)
        several |= ensembles(ON_GPU, model, moment, there)
    seconds = interleaved(machine.products() | single | several, rounds, LEAST)
    processes.close()
    per_seed = {name: seconds[name] / (SEEDS if name in several else 1) for name in single | several}
    fastest_loader = min((per_seed[name] for name in list(single)[:2]), key=lambda time: float(np.median(time)))
    rows: list[list[Cell]] = []
    for way, time in per_seed.items():
        faster = "" if way == ALONE else Spread.of(fastest_loader / time)
        share = "" if way in ON_GPU else Spread.of(per_seed[ALONE] / time)
        rows.append([target, way, Spread.of(time / per_seed[PER_CORE]), faster, share])
    if COMPILED not in single:
        rows.append([target, COMPILED, "left out: no C++ compiler", "", ""])
    speeds = alone.flops() / seconds[ALONE], machine.product_rate(seconds)
    convolutions, products = (Spread.of(speed / 1e9).median for speed in speeds)
    return _Measured(
        rows,
        f"{target}: of a seed's {moment.subnormals()}; the convolutions alone reach {convolutions:.0f} GFLOP/s, and "
        f"matrix products of this machine {products:.0f} in the same turns.",
    )


def _loops(target: str, model: VGG, moment: Moment, problem: Classification) -> dict[str, Callable[[], object]]:
    """Return an epoch of the first seed for each loop, those over a DataLoader first."""
    nhwc, pairs = torch.channels_last, Pairs(target, SAMPLES)
    loader = partial(LoaderLoop, pairs, BATCH, model, moment, LR)
    in_memory = partial(InMemory, problem, BATCH, model, moment, LR)
    loops: dict[str, LoaderLoop | InMemory] = {
        "DataLoader": loader(workers=0),
        "DataLoader with a worker per core": loader(workers=torch.get_num_threads()),
        "in memory": in_memory(),
        "in memory, channels last": in_memory(layout=nhwc),
        "in memory, channels last, fused Adam": in_memory(layout=nhwc, fused=True),
    }
    if _can_compile():
        loops[COMPILED] = in_memory(layout=nhwc, fused=True, compiled=True)
    return {name: loop.epoch for name, loop in loops.items()}


def _can_compile() -> bool:
    try:
        return bool(compiler())
    except Unavailable:
        return False


def images(section: str, rounds: int) -> Section:
    """Training classifiers on images, with the section's network."""
    allow_tf32(False)
    name = NETWORKS[section]
    measured = [_measure(target, name, rounds) for target in TARGETS]
    text = (
        f"The network `{name}` after {DONE} epochs: one epoch of {SAMPLES} mixed images per seed, batch {BATCH}, "
        f"float32 unless stated, Adam; {SEEDS} seeds, or one for the loops over a DataLoader and in memory. Time per "
        "seed; `times as fast` is against the faster of the two DataLoader loops. All ensembles have channels last and "
        f"fused Adam. Training uses `{PER_CORE}` (in threads) on a CPU, and one seed after the other on a GPU. The "
        "share of the convolution rate is the time that the same convolutions take alone, over the way's: forward and "
        "backward of each layer, the step's own float32 tensors, one seed per core. "
        + " ".join(target.rates for target in measured)
    )
    columns = ["target", "way", f"time, in times of `{PER_CORE}`", "times as fast as a DataLoader"]
    columns.append("share of the convolution rate")
    rows = [row for target in measured for row in target.rows]
    return Section(section, f"Training classifiers on images: `{name}`", text, columns, rows)
