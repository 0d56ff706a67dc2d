"""The Python door: Algorithm 1 on data of one's own, the runs of scripts/train.py, and what they have trained."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

from homotopy import cli, config
from homotopy.algorithm import schedules
from homotopy.algorithm.continuation import Epoch, Step, follow, plan, solve_source
from homotopy.algorithm.corrector import Ensemble
from homotopy.errors import ConfigError, ResultError, UserError, shortened
from homotopy.figures import looks
from homotopy.progress import Progress
from homotopy.results import parameters
from homotopy.results.folder import RunFolder, metrics
from homotopy.results.methods import LABELS
from homotopy.results.statistics import band, median_curves
from homotopy.settings import at_least, build, check, one_of, positive, values
from homotopy.solvers.build import build_ensemble, initial_theta
from homotopy.solvers.mlp import MLP
from homotopy.solvers.module import ModuleNetwork
from homotopy.solvers.optimizers import DECAYS, SGD, Adam, Optimizer
from homotopy.tasks.functions import FunctionSamples, SharedInputs
from homotopy.training.device import Machine, as_before, choose_device
from homotopy.training.history import History, measured

__all__ = ["SGD", "Adam", "Runs", "fit", "load", "run"]
Values = np.ndarray | Tensor | Sequence | Callable[[Any], Any]
# Algorithm 1's two switches, as conf/method has them: where theta starts, and which path it follows
_SWITCHES = {
    "homotopy": ("source", "schedule"),
    "warmstart": ("source", "direct"),
    "random": ("random", "direct"),
    "random_homotopy": ("random", "schedule"),
}
_METRICS = {"target_loss": "train loss on the target", "train_loss": r"loss $H(\theta, \lambda)$"}
_COUNT = "an integer of at least 1"


@dataclass(frozen=True, repr=False)
class Runs:
    """What one method has learned, for each of its seeds.

    `curves` has a row per seed and recorded epoch: seed, epoch, lam, phase (step or final), train_loss (on H(., lam)),
    target_loss (on the target's training set), and test_loss and accuracies where there are test data. Of several
    outputs the squared errors are summed: divide by their number for the mean of `torch.nn.MSELoss`. A seed that
    diverged has infinite losses.
    """

    curves: pd.DataFrame
    method: str
    _network: Callable[[int], nn.Module]

    @property
    def label(self) -> str:
        """The method's name in figures."""
        return LABELS.get(self.method, self.method)

    def __repr__(self) -> str:
        """Say how they ended."""
        last = self.median().query("metric == 'target_loss'").iloc[-1]
        return f"{self.label}: train loss on the target {last['median']:.3g} after {last.epoch} epochs, n = {last.n}"

    def median(self) -> pd.DataFrame:
        """Return epoch, metric, n, and over the n seeds median, q25 and q75."""
        return median_curves(self.curves, metrics(self.curves))

    def plot(self, axes: Axes | None = None, metric: str = "target_loss", label: str | None = None) -> Axes:
        """Draw a metric against epochs, a thin line per seed and their median, into `axes` or pyplot's present ones.

        The colour is the method's in all figures; where `axes` has a line in it already, one that is no method's.
        """
        if axes is None:
            import matplotlib.pyplot as plt  # here: it chooses how figures are shown

            axes = plt.gca()
        curves = self.curves.pivot(index="epoch", columns="seed", values=metric)
        median, _, _ = band(curves.to_numpy().T)
        taken = {line.get_color() for line in axes.lines}
        free = (each for each in (looks.COLOURS.get(self.method), *looks.OTHERS) if each not in taken)
        colour = next(free, None)  # with none left, the next of the cycle of `axes`
        (line,) = axes.plot(curves.index, median, color=colour, linewidth=2, zorder=3, label=label or self.label)
        faint = min(0.4, 1 / len(curves.columns) ** 0.5)
        axes.plot(curves.index, curves.to_numpy(), color=line.get_color(), linewidth=0.6, alpha=faint)
        axes.set(xlabel="epochs", ylabel=_METRICS.get(metric, metric.replace("_", " ")))
        if not metric.endswith("accuracy"):
            axes.set_yscale("log")
        axes.legend()
        return axes

    def network(self, seed: int) -> nn.Module:
        """Return a seed's trained network, in evaluation mode; raise ResultError where its parameters were not kept."""
        if seed not in set(self.curves["seed"]):
            raise ResultError(f"there is no seed {seed} among {sorted(set(self.curves['seed']))}")
        return self._network(seed).eval()


def fit(
    x: Values,
    y_source: Values,
    y_target: Values,
    *,
    method: str = "homotopy",
    gamma: int = 10,
    schedule: str | Sequence[float] | Mapping[str, Any] = "linear",
    k: int = 40,
    final: int = 100,
    source: int = 50,
    seeds: int | Sequence[int] = 8,
    network: Callable[[], nn.Module] | None = None,
    optimizer: Optimizer | None = None,
    decay: str = "constant",
    source_lr: float = 1e-3,
    batch_size: int = 128,
    log_every: int = 1,
    test: tuple[Values, Values] | None = None,
    device: str = "auto",
    dtype: torch.dtype = torch.float32,
) -> Runs:
    """Carry a network from the source task's values to the target task's, at the same x: Algorithm 1 on Eq. 14.

    Args:
        x: (N,) or (N, inputs), or with data of its own for each seed (seeds, N, inputs).
        y_source: the source task's values there, (N,), (N, outputs) or (seeds, N, outputs); or a function of x.
        y_target: the target task's, likewise.
        method: homotopy; warmstart (lam = 1 at once, as many epochs); random (the same from random parameters); or
            random_homotopy.
        gamma: steps of lam, for a schedule that has a name.
        schedule: linear (lam = i/gamma), the name of another with its settings, such as
            {"name": "geometric", "ratio": 0.7}, or the values of lam themselves, which increase to 1.
        k: epochs at each step.
        final: epochs on the target after the last step.
        source: epochs for the source solution.
        seeds: how many runs, or their seeds; a seed fixes initialisation and order, whichever others train beside it.
        network: a function without arguments, or a class, that builds a `torch.nn.Module` from (N, inputs) to
            (N, outputs); without it the paper's six layers of 100 ReLU units.
        optimizer: `homotopy.Adam(lr)` or `homotopy.SGD(lr, momentum)`; without it Adam with step size 0.001.
        decay: of the step size over the whole run: constant, cosine (annealing) or warmup (over its first twentieth).
        source_lr: Adam's step size for the source solution.
        batch_size: of mini-batches; N where N is smaller.
        log_every: epochs between the rows of `curves`.
        test: x and the target's values there, from which `test_loss` follows.
        device: auto (the CPU), cpu, cuda or cuda:N.
        dtype: of parameters and data.

    What is minimised is the mean over samples of the squared error, summed over outputs. Nothing is written to disk:
    the result holds the curves and, for each seed, the trained network.

    Raises ConfigError, which names the argument (budget.k for k, as on the command line) and what is allowed, before
    anything is trained.
    """
    gamma, k, final, source = (_plain(number) for number in (gamma, k, final, source))
    source_lr, batch_size, log_every, seeds = (_plain(each) for each in (source_lr, batch_size, log_every, seeds))
    numbers = config.seed_list(list(seeds) if isinstance(seeds, Sequence) else seeds)
    start, path = _SWITCHES[check(method, str, "method", one_of(*_SWITCHES), ", ".join(_SWITCHES))]
    lams = schedules.build(_schedule(schedule, gamma)).lams
    budget = build(config.Budget, {"source": source, "k": k, "final": final}, "budget")
    check(batch_size, int, "batch_size", at_least(1), _COUNT)
    check(log_every, int, "log_every", at_least(1), f"{_COUNT} (epochs)")
    check(source_lr, float, "source_lr", positive, "a number above 0 (step size)")
    check(decay, str, "decay", one_of(*DECAYS), " or ".join(DECAYS))
    check(device, str, "device", config.is_device, config.DEVICES)
    check(dtype, torch.dtype, "dtype", one_of(torch.float32, torch.float64), "torch.float32 or torch.float64")
    rule = check(optimizer or Adam(), Optimizer, "optimizer", allowed="homotopy.Adam(...) or homotopy.SGD(...)")
    rule = build(Optimizer, values(rule), "optimizer")
    check(rule.decay, str, "optimizer.decay", one_of("constant"), "constant: `decay` is an argument of its own")

    machine = Machine(choose_device(device), dtype)
    samples, tested = _data(x, y_source, y_target, test, len(numbers), machine)
    model = _network(network, samples)
    deformation = SharedInputs(samples, numbers, tested)
    ensemble_of = partial(build_ensemble, model, batch_size=min(batch_size, samples.x.shape[1]))
    theta = initial_theta(model, numbers, machine.device, machine.dtype)
    if start == "source":
        theta = _source_solution(ensemble_of(Adam(source_lr), theta), deformation, budget.source, source_lr)
    epochs = len(lams) * budget.k
    steps = plan(lams, budget.k, budget.final) if path == "schedule" else plan((1.0,), epochs, budget.final)
    step_size = partial(DECAYS[decay], rule.lr, epochs=epochs + budget.final)
    ensemble, history = ensemble_of(rule, theta), History(numbers, steps, log_every)
    epochs_run = follow(ensemble, deformation, steps, step_size, reset_moments=rule.moments == "reset")
    _record(epochs_run, steps, deformation, ensemble, history)
    thetas = dict(zip(numbers, ensemble.theta, strict=True))
    return Runs(history.frame(), method, partial(_trained, model, thetas))


def run(*overrides: str) -> Runs:
    """Train what `python scripts/train.py OVERRIDES` would, into the same folder, and return its result.

    With "save=true" the trained parameters are kept there. Raises UserError for what the script would refuse, where
    the overrides stand for several configurations, and where another process trains some of the seeds. Ctrl-C raises
    homotopy.errors.Interrupted after a checkpoint, a second one KeyboardInterrupt at once.
    """
    jobs = cli.check(overrides)
    if len(jobs) != 1 or not jobs[0].trains:
        asked = f"{len(jobs)} jobs, of which {sum(job.trains for job in jobs)} train"
        raise UserError(f"{shortened(' '.join(overrides))}: must be one configuration that trains, not {asked}")
    cli.preflight(jobs)
    before, sys.argv = sys.argv, ["scripts/train.py", *overrides]  # the command that a result's metadata names
    try:
        with as_before():
            cli.train(jobs[0])
    finally:
        sys.argv = before
    of = jobs[0].config
    found = load(of.folder)
    curves = found.curves[found.curves["seed"].isin(of.seeds)]
    if lacking := set(of.seeds) - set(curves["seed"]):
        raise ResultError(f"{of.folder}: another process trains {len(lacking)} of these seeds now")
    return replace(found, curves=curves)


def load(folder: str | Path) -> Runs:
    """Return the finished seeds of a result folder; raise ResultError where there are none or its files are damaged."""
    folder = Path(folder).resolve()
    curves = RunFolder(folder).runs()
    if curves.empty:
        raise ResultError(f"{folder} holds no finished run")
    method = folder.name.rpartition("-")[0]
    return Runs(curves, method, partial(_kept, folder))


def _trained(model: MLP | ModuleNetwork, thetas: Mapping[int, Tensor], seed: int) -> nn.Module:
    return model.module(thetas[seed])


def _kept(folder: Path, seed: int) -> nn.Module:
    return parameters.read(parameters.path_of(folder, seed))


def _plain(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's numbers and lists."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _schedule(schedule: Any, gamma: Any) -> dict[str, Any]:
    """Return a schedule as a configuration has it."""
    if isinstance(schedule, str | Mapping):
        settings = {"name": schedule} if isinstance(schedule, str) else dict(schedule)
        function = schedules.SCHEDULES.get(str(settings.get("name", "")))
        return {"gamma": gamma, **settings} if function and "gamma" in signature(function).parameters else settings
    try:
        return {"name": "explicit", "values": [float(lam) for lam in schedule]}
    except (TypeError, ValueError):
        raise ConfigError("schedule", schedule, "a name, a name with its settings, or values of lam") from None


def _data(
    x: Values, y_source: Values, y_target: Values, test: tuple[Values, Values] | None, seeds: int, machine: Machine
) -> tuple[FunctionSamples, tuple[Tensor, Tensor] | None]:
    """Return what `fit` is given, functions evaluated, as tensors (S, N, columns)."""
    stack = partial(_stacked, seeds=seeds, machine=machine)
    places = stack("x", x)
    source = stack("y_source", y_source(x) if callable(y_source) else y_source, rows=places.shape[1])
    target = stack("y_target", y_target(x) if callable(y_target) else y_target, rows=places.shape[1])
    if source.shape != target.shape:
        allowed = f"one of as many as y_source has, {source.shape[-1]}"
        raise ConfigError("y_target", f"an array of {target.shape[-1]} columns", allowed)
    if test is None:
        return FunctionSamples(places, source, target), None
    if not isinstance(test, Sequence) or len(test) != 2:
        raise ConfigError("test", shortened(test), "a pair: x and the target's values there")
    x_test, y_test = stack("test x", test[0]), test[1](test[0]) if callable(test[1]) else test[1]
    tested = x_test, stack("test y", y_test, rows=x_test.shape[1])
    for found, trained in zip(tested, (places, target), strict=True):
        if found.shape[-1] != trained.shape[-1]:
            allowed = f"of {trained.shape[-1]}, as in training"
            raise ConfigError("test", f"an array of {found.shape[-1]} columns", allowed)
    return FunctionSamples(places, source, target), tested


def _stacked(name: str, given: Any, *, seeds: int, machine: Machine, rows: int | None = None) -> Tensor:
    try:  # a copy of what is no tensor, which may be read-only, reversed or of another byte order
        tensor = given.detach() if isinstance(given, Tensor) else torch.from_numpy(np.array(given, dtype=float))
    except (TypeError, ValueError) as error:
        raise ConfigError(name, shortened(error), "an array of numbers") from None
    shape = tuple(tensor.shape)
    tensor = tensor.unsqueeze(-1) if tensor.ndim == 1 else tensor
    tensor = tensor.expand(seeds, -1, -1) if tensor.ndim == 2 else tensor
    if tensor.ndim != 3 or len(tensor) != seeds or rows not in (None, tensor.shape[1]) or not tensor.numel():
        n = f"N = {rows}" if rows else "N"
        allowed = f"({n},), ({n}, columns) or ({seeds} seeds, {n}, columns)"
        raise ConfigError(name, f"an array of shape {shape}", allowed)
    tensor = tensor.to(machine.device, machine.dtype)
    if not tensor.isfinite().all():
        raise ConfigError(name, "an array with infinite or missing values", f"one of finite numbers of {machine.dtype}")
    return tensor


def _network(build: Callable[[], nn.Module] | None, samples: FunctionSamples) -> MLP | ModuleNetwork:
    """Return the network, which is tried on two rows."""
    inputs, outputs = samples.x.shape[-1], samples.y_target.shape[-1]
    if build is None:
        return MLP(inputs=inputs, outputs=outputs)
    own = "a function that builds it (lambda: ...), as each seed starts from parameters of its own"
    if isinstance(build, nn.Module) or not callable(build):
        raise ConfigError("network", type(build).__name__, own)
    try:
        model = ModuleNetwork(build)
        size, is_new = model.size, model.is_new
    except Exception as error:  # whatever a function of one's own may raise
        allowed = "one that builds a torch.nn.Module when it is called without arguments"
        raise ConfigError("network", shortened(error), allowed) from error
    if not is_new:
        raise ConfigError("network", "a function that returns the same module again", own)
    if not size:
        raise ConfigError("network", "one without parameters to train", "one that has some")
    theta = torch.zeros(1, size).to(samples.x)
    try:
        shape = tuple(model.forward(theta, samples.x[:1, :2]).shape[1:])
    except Exception as error:
        raise ConfigError("network", shortened(error), f"one that takes (N, {inputs}) and returns a tensor") from error
    if shape != samples.y_target[0, :2].shape:
        raise ConfigError("network", f"one that maps (2, {inputs}) to {shape}", f"one that returns (2, {outputs})")
    return model


def _source_solution(ensemble: Ensemble, deformation: SharedInputs, epochs: int, step_size: float) -> Tensor:
    """Return every seed's source solution (S, P), where `ensemble` starts at random: Algorithm 1's line 1."""
    with Progress("source task", epochs) as progress:
        for epoch in solve_source(ensemble, deformation, epochs, step_size):
            progress.advance(epoch.lam, float(epoch.loss.objective.median()))
    return ensemble.theta


def _record(
    run: Iterator[Epoch], steps: Sequence[Step], deformation: SharedInputs, ensemble: Ensemble, history: History
) -> None:
    """Run the rest of Algorithm 1, which yields its epochs, and record what it comes to."""
    with Progress("target task", steps[-1].epochs.stop - 1) as progress:
        for epoch in run:
            history.watch(epoch.number, epoch.loss.objective)
            progress.advance(epoch.lam, float(epoch.loss.objective.median()))
            if epoch.number in history.epochs:
                history.add(measured(epoch, deformation, ensemble))
