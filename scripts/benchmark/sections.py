"""The sections, and those on the regression network; each measures its contestants together and returns one table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmark import course, machine, memory, solvers
from benchmark.images import NETWORKS, images
from benchmark.measure import Cell, Section, Spread, interleaved
from benchmark.overheads import overheads
from benchmark.processes import Processes
from homotopy.solvers.cuda_graph import GraphEnsemble
from homotopy.solvers.mlp import MLP
from homotopy.solvers.reference import AutogradEnsemble
from homotopy.training.device import allow_tf32

BATCH = 128
LOOPS = "plain loop, a process per core"
SAMPLES = 8000  # of the sine: 62 whole mini-batches and one of 64
NO_GPU = "left out: PyTorch sees no GPU here"
ROUNDS = 9
LEAST = 0.4  # seconds of a turn
JAX_WIDTHS = (1, 2, 4, 8, 16)
JAX_WIDTH = 4  # of a whole run: as fast as any, within its spread
LATE = 1000  # epochs done
POSITIONS = (0, 50, 100, 200, 300, 500, 800, LATE, 1400, 1800, 2200)  # epochs done, of a whole run
TURNS = 3  # at each of these
TIMES = "time, in times of the fused ensemble"
WANTED = {  # late in training, on two cores
    "plain loop": "at least 8 times",
    "JAX, 4 at a time": "at least 1.5 times",
    "fused ensemble, 32 at a time": "a share of at least 0.75",
}
SEEDS = (1, 2, 4, 16, 64, 100, 200, 400)
REFERENCE_SEEDS = (1, 4, 16, 64)
GPU_SEEDS = (1, 10, 100, 300)
SHAPES = [
    *[(batch, MLP()) for batch in (32, 64, 128, 256, 512)],
    *[(BATCH, MLP(width=width)) for width in (25, 50, 200, 400)],
    *[(BATCH, MLP(depth=depth)) for depth in (1, 3, 12)],
]


def _per_seed(seconds: Mapping[str, np.ndarray], seeds: Mapping[str, int]) -> dict[str, np.ndarray]:
    return {name: seconds[name] / count for name, count in seeds.items()}


def _share(model: MLP, samples: int, seconds_per_seed: np.ndarray, rate: np.ndarray) -> Spread:
    """Return the share of the machine's matrix-product rate that an epoch of one seed reached, turn by turn."""
    return Spread.of(solvers.flops(model, samples) / seconds_per_seed / rate)


def contestants() -> Section:
    """Everyone from the source solution on."""
    return _contest("contestants", "Training one seed, from the source solution on", 0, {})


def late() -> Section:
    """Everyone from a state late in training on."""
    return _contest("late", f"Training one seed, after {LATE:,} epochs", LATE, WANTED)


def _contest(name: str, title: str, done: int, wanted: Mapping[str, str]) -> Section:
    """Let everyone train on from the same state of the run, when so many epochs are done."""
    found = solvers.builders()
    deviation = solvers.check_agreement(found, MLP())
    (moment,) = course.moments([done], torch.get_num_threads())
    entries = [("plain loop", 1), (solvers.FLUSHED, 1), (LOOPS, torch.get_num_threads())]
    entries += [("plain loop, fused Adam", 1), ("stacked autograd", 16), (solvers.KEPT, 8)]
    entries += [("fused ensemble", 8), ("fused ensemble", 32)]
    entries += [("JAX", width) for width in JAX_WIDTHS if "JAX" in found]
    seeds = {f"{name}, {count} at a time" if count > 1 else name: count for name, count in entries}
    with tempfile.TemporaryDirectory() as folder:
        moment.write(Path(folder) / "moment.pt")
        loops = Processes(partial(_loop, Path(folder) / "moment.pt"))
    epochs = {
        label: loops if name == LOOPS else course.epoch_from(found[name], moment, count)
        for (label, count), (name, _) in zip(seeds.items(), entries, strict=True)
    }
    seconds = interleaved(machine.products() | epochs, ROUNDS, LEAST)
    loops.close()
    rate, samples = machine.product_rate(seconds), course.samples()
    times = _per_seed(seconds, seeds)
    fused = times["fused ensemble, 32 at a time"]
    rows: list[list[Cell]] = [
        [label, Spread.of(time / fused), _share(MLP(), samples, time, rate), wanted.get(label, "")]
        for label, time in times.items()
    ]
    if "JAX" not in found:
        rows.append(["JAX", "not installed: pip install -r requirements-bench.txt", "", ""])
    text = (
        f"{course.TITLE}, with the state after {done:,} epochs: one epoch of {samples} samples, batch {BATCH}, six "
        f"hidden layers of 100, float32, Adam. All may use {torch.get_num_threads()} threads; a process per core means "
        f"one thread in each. Of a seed's {moment.subnormals()}. All reach the plain loop's losses in float64 (largest "
        f"relative deviation {deviation:.0e}). Matrix products of this machine in the same turns: "
        f"{Spread.of(rate / 1e9).median:.0f} GFLOP/s."
    )
    return Section(name, title, text, ["solver", TIMES, "share of the matrix-product rate", "wanted"], rows)


def _loop(path: Path, number: int, processes: int) -> Callable[[], object]:
    """Return an epoch of the plain loop in one of several processes."""
    return course.epoch_from(solvers.PlainLoop, course.read(path), 1)


def run() -> Section:
    """A whole run, measured at some of its epochs."""
    found = solvers.builders()
    widths = {"fused ensemble": 8, "plain loop": 1, solvers.FLUSHED: 1} | ({"JAX": JAX_WIDTH} if "JAX" in found else {})
    each: dict[str, list[np.ndarray]] = {name: [] for name in widths}
    for moment in course.moments(POSITIONS, torch.get_num_threads()):
        epochs = {name: course.epoch_from(found[name], moment, count) for name, count in widths.items()}
        for name, time in _per_seed(interleaved(epochs, TURNS, LEAST / 2), widths).items():
            each[name].append(time)
    whole = {name: _whole(np.array(times)) for name, times in each.items()}
    rows: list[list[Cell]] = [
        [done, *(Spread.of(1e3 * times[i]) for times in each.values())] for i, done in enumerate(POSITIONS)
    ]
    rows.append([f"all {course.EPOCHS:,}, seconds", *(Spread.of(seconds) for seconds in whole.values())])
    rows.append(["... in times of the first", *(Spread.of(time / whole["fused ensemble"]) for time in whole.values())])
    at_a_time = ", ".join(f"{name} {count}" for name, count in widths.items())
    text = (
        f"{course.TITLE}: milliseconds of an epoch of one seed, from the state after so many epochs on ({TURNS} turns "
        f"each), and what a whole run of {course.EPOCHS:,} epochs costs, with straight lines between these. Seeds at a "
        f"time: {at_a_time}; all may use {torch.get_num_threads()} threads."
    )
    return Section("run", "A whole run", text, ["epochs done", *widths], rows)


def _whole(times: np.ndarray) -> np.ndarray:
    """Return the seconds of the run from those of its epochs at `POSITIONS`, (positions, turns), turn by turn."""
    places = [*POSITIONS, course.EPOCHS]
    return np.trapezoid(np.concatenate([times, times[-1:]]), places, axis=0)


def seeds() -> Section:
    """Cost against the number of seeds."""
    samples = 8 * BATCH
    found = solvers.builders()
    plans = {("fused ensemble", count): count for count in SEEDS}
    plans |= {("stacked autograd", count): count for count in REFERENCE_SEEDS}
    epochs = {f"{name} {count}": solvers.epoch_of(found[name], MLP(), BATCH, count, samples) for name, count in plans}
    loop = {"plain loop 1": solvers.epoch_of(found["plain loop"], MLP(), BATCH, 1, samples)}
    seconds = interleaved(loop | epochs, ROUNDS, LEAST)
    rows: list[list[Cell]] = []
    for name, count in plans:
        rows.append([name, count, Spread.of(seconds[f"{name} {count}"] / count / seconds["plain loop 1"])])
    text = (
        f"Time per seed as a fraction of the plain loop's, {samples} samples, batch {BATCH}. One seed alone can use "
        "only one core of the fused ensemble."
    )
    return Section("seeds", "Cost against the number of seeds", text, ["solver", "seeds", "time per seed"], rows)


def shapes() -> Section:
    """Cost against batch, width and depth."""
    found = solvers.builders()
    rows: list[list[Cell]] = []
    for batch, model in SHAPES:
        samples, counts = 16 * batch, {"plain loop": 1, "stacked autograd": 8, "fused ensemble": 8}
        epochs = {name: solvers.epoch_of(found[name], model, batch, n, samples) for name, n in counts.items()}
        seconds = interleaved(machine.products() | epochs, 3, LEAST / 4)
        times = _per_seed(seconds, counts)
        fused = times["fused ensemble"]
        ratios = [Spread.of(times[name] / fused) for name in ("plain loop", "stacked autograd")]
        share = _share(model, samples, fused, machine.product_rate(seconds))
        rows.append([batch, model.width, model.depth, *ratios, share])
    columns = ["batch", "width", "depth", "plain loop / fused", "stacked autograd / fused", "share of the matrix rate"]
    text = "Time per seed of the plain loop and of stacked autograd (8 seeds) over the fused ensemble's (8 seeds)."
    return Section("shapes", "Cost against batch, width and depth", text, columns, rows)


def peak_memory() -> Section:
    """Memory per seed."""
    few, many = 10, 210
    cost = (memory.peak(many, SAMPLES) - memory.peak(few, SAMPLES)) / (many - few)
    state = 3 * 4 * MLP().size
    rows: list[list[Cell]] = [["measured", round(cost / 2**20, 2)], ["parameters and moments", round(state / 2**20, 2)]]
    text = f"From the peak resident memory of processes that train {few} and {many} seeds on {SAMPLES} samples each."
    return Section("memory", "Peak memory of the fused ensemble", text, ["", "MiB per seed"], rows)


def gpu() -> Section:
    """The same network and data on the first GPU; says so where there is none."""
    rows: list[list[Cell]] = _on_gpu(torch.device("cuda")) if torch.cuda.is_available() else [[NO_GPU, "", "", ""]]
    text = (
        f"One epoch of {SAMPLES} samples per seed, batch {BATCH}, six hidden layers of 100, Adam; float32 without TF32 "
        "unless stated. The loops train one seed on the GPU. 300 seeds are three methods with 100 each as one ensemble."
    )
    columns = ["solver", "seeds", "time per seed, in times of the loop's", "MiB per seed"]
    return Section("gpu", "Training on a GPU", text, columns, rows)


def _on_gpu(device: torch.device) -> list[list[Cell]]:
    recorded = [("recorded ensemble", GraphEnsemble, count, False) for count in GPU_SEEDS]
    plans: list[tuple[str, solvers.Build, int, bool]] = [
        ("plain loop", solvers.PlainLoop, 1, False),
        ("plain loop, fused Adam", solvers.plain_loop_fused_adam, 1, False),
        ("stacked autograd", AutogradEnsemble, GPU_SEEDS[-2], False),
        *recorded,
        ("recorded ensemble, TF32", GraphEnsemble, GPU_SEEDS[-2], True),
    ]
    epochs, peaks = {}, []
    for name, build, count, tf32 in plans:
        held = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        allow_tf32(tf32)  # what the first epoch records keeps it
        run = epochs[f"{name} {count}"] = solvers.epoch_of(build, MLP(), BATCH, count, SAMPLES, device)
        run()
        peaks.append((torch.cuda.max_memory_allocated() - held) / count / 2**20)
    allow_tf32(False)
    seconds = interleaved(epochs, ROUNDS, LEAST)
    loop = seconds["plain loop 1"]
    return [
        [name, count, Spread.of(seconds[f"{name} {count}"] / count / loop), round(peak, 2)]
        for (name, _, count, _), peak in zip(plans, peaks, strict=True)
    ]


SECTIONS: dict[str, Callable[[], Section]] = {
    "contestants": contestants,
    "late": late,
    "run": run,
    "seeds": seeds,
    "shapes": shapes,
    "memory": peak_memory,
    "gpu": gpu,
    "overheads": overheads,
    **{name: partial(images, name, ROUNDS) for name in NETWORKS},
}
