"""A run's configuration: composed by Hydra, checked here once, and from then on plain frozen values."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from homotopy.algorithm import schedules
from homotopy.algorithm.adaptive import Control
from homotopy.algorithm.continuation import Step, plan
from homotopy.algorithm.predictors import PREDICTORS
from homotopy.errors import ConfigError
from homotopy.identity import SCHEMA, digest
from homotopy.keys import hint, named
from homotopy.settings import (
    FOLDER,
    FOLDER_NAME,
    at_least,
    build,
    check,
    given,
    is_folder_name,
    is_path,
    matches,
    one_of,
    positive,
    rule,
    values,
    within,
)
from homotopy.solvers import NETWORKS, optimizers
from homotopy.tasks import TASKS

_COUNT = "an integer of at least 1"
_SEEDS = "a count from 1 to 1000000 or a list of different integers from 0 to 2^63 - 1"
DEVICES = "auto, cpu, cuda or cuda:N"
_EPOCHS = 1_000_000  # of one run; every recorded point is kept in memory
_KEYS_BESIDES = {"budgets", "data", "illustration", "job", "theory", "why"}  # those that are no fields of `Config`
_KEYS_WITHIN = {"data": {"root"}, "results": {"root"}}


@dataclass(frozen=True)
class Method:
    """Algorithm 1's two switches: where theta starts and which path it follows; and what predicts theta at a step."""

    name: str = rule(is_folder_name, FOLDER_NAME)
    start: str = rule(one_of("random", "source"), "random or source")
    path: str = rule(one_of("direct", "schedule", "adaptive"), "direct, schedule or adaptive")
    predictor: str = rule(one_of(*PREDICTORS), " or ".join(PREDICTORS), default="constant")


@dataclass(frozen=True)
class Budget:
    """Epochs: for the source solution, per step, and after the last step."""

    source: int = rule(at_least(1), f"{_COUNT} (epochs for the source solution)")
    k: int = rule(at_least(1), f"{_COUNT} (epochs per step)")
    final: int = rule(at_least(0), "an integer of at least 0 (epochs after the last step)")


def is_device(name: str) -> bool:
    """Whether a name is one of `DEVICES`."""
    return re.fullmatch(r"auto|cpu|cuda(:(0|[1-9]\d?))?", name) is not None


@dataclass(frozen=True)
class Runtime:
    """Where and how a run is trained: what changes none of its numbers, by the C++ solver on a CPU."""

    device: str = rule(is_device, DEVICES)
    threads: int | None = rule(within(1, 1024), "an integer from 1 to 1024, or null")
    seeds_at_once: int | None = rule(at_least(1), f"{_COUNT}, or null")
    seeds_per_job: int | None = rule(at_least(1), f"{_COUNT}, or null")
    part: int | None = rule(at_least(0), "an integer of at least 0, or null")
    elsewhere: bool = rule(one_of(True, False), "true or false")
    checkpoint_minutes: float = rule(at_least(0), "a number of at least 0 (0: every epoch)")
    logger: str = rule(one_of("none", "tensorboard"), "none or tensorboard")

    def share(self, seeds: tuple[int, ...]) -> tuple[int, ...]:
        """Return those of the seeds that this part trains; all where no part is named."""
        if self.part is None:
            return seeds
        if self.seeds_per_job is None:
            raise ConfigError("runtime.part", self.part, "null where runtime.seeds_per_job is null")
        return seeds[self.part * self.seeds_per_job : (self.part + 1) * self.seeds_per_job]


@dataclass(frozen=True)
class Config:
    """One configuration, whole: every seed of it is a run."""

    task: Any  # a Task; a figure also reads the settings of its own
    method: Method
    schedule: schedules.Schedule
    control: Control
    budget: Budget
    optimizer: optimizers.Optimizer
    model: Any
    batch_size: int
    source_lr: float
    log_every: int
    seeds: tuple[int, ...]
    precision: str
    runtime: Runtime
    save: bool
    profile: str
    results: Path

    @property
    def needs_source(self) -> bool:
        """Whether the run uses the source task at all."""
        return self.method.start == "source" or self.method.path != "direct"

    def steps(self) -> list[Step]:
        """Lay out the run; the direct path spends the schedule's epochs at lam = 1, the adaptive one as it sees fit."""
        if self.method.path == "schedule":
            return plan(self.schedule.lams, self.budget.k, self.budget.final)
        return plan((1.0,), self.path_epochs, self.budget.final)

    @property
    def epochs(self) -> int:
        """The run's epochs, without those of the source solution."""
        return self.path_epochs + self.budget.final

    @property
    def source_epochs(self) -> int:
        """The epochs of the source solution, 0 for a run that does not start from it."""
        return self.budget.source if self.method.start == "source" else 0

    @property
    def path_epochs(self) -> int:
        """The epochs before the final ones."""
        return self.schedule.gamma * self.budget.k

    @property
    def name(self) -> str:
        """The run's folder in one word."""
        return f"{self.folder.parent.name}-{self.folder.name}"

    def step_size(self, epoch: int) -> float:
        """Return the solver's step size in `epoch`."""
        return optimizers.DECAYS[self.optimizer.decay](self.optimizer.lr, epoch, self.epochs)

    def identity(self) -> dict[str, Any]:
        """Return what can change a run's numbers: no seed, device, path or thread count, and no unused setting."""
        follows = self.method.path != "direct"
        kept: dict[str, Any] = {
            "schema": SCHEMA,
            "task": self.task.identity(needs_source=self.needs_source, needs_path=follows),
            "method": {"start": self.method.start, "path": self.method.path},
            "steps": self._step_identity(),
            "optimizer": {**asdict(self.optimizer), "moments": self.optimizer.moments if follows else "keep"},
            "model": values(self.model),
            "batch_size": self.batch_size,
            "log_every": self.log_every,
            "precision": self.precision,
        }
        if self.method.predictor != "constant":
            kept["predictor"] = self.method.predictor
        if self.method.start == "source":
            kept["source"] = {"epochs": self.budget.source, "lr": self.source_lr}
        return kept

    def _step_identity(self) -> Any:
        if self.method.path == "adaptive":
            epochs = [len(s.epochs) for s in self.steps()]
            return {"control": asdict(self.control), "k": self.budget.k, "epochs": epochs}
        if self.method.path == "schedule":
            return [(s.lam, len(s.epochs), s.final) for s in self.steps()]
        return self.epochs

    def source_identity(self) -> dict[str, Any]:
        """Return what can change the source solution."""
        return {
            "schema": SCHEMA,
            "task": self.task.source_identity(),
            "model": values(self.model),
            "batch_size": self.batch_size,
            "epochs": self.budget.source,
            "lr": self.source_lr,
            "precision": self.precision,
        }

    @property
    def folder(self) -> Path:
        """Where the run's results live: <results>/<profile>/<task>/<method>-<hash8>."""
        return self.results / self.profile / self.task.label / f"{self.method.name}-{digest(self.identity())}"


def _choice(group: Any, kinds: Mapping[str, type], key: str) -> Any:
    name = str(group.get("name") if isinstance(group, dict) else group)
    if name not in kinds:
        raise ConfigError(f"{key}.name", name, " or ".join(kinds))
    return build(kinds[name], group, key)


def seed_list(value: Any) -> tuple[int, ...]:
    """Return the seeds that a count or a list stands for; raise ConfigError if it is neither."""
    if matches(value, int) and 1 <= value <= 1_000_000:
        return tuple(range(value))
    are_seeds = isinstance(value, list) and all(matches(seed, int) and 0 <= seed < 2**63 for seed in value)
    if not are_seeds or not value or len(set(value)) < len(value):
        raise ConfigError("seeds", value, _SEEDS)
    return tuple(value)


def _check_keys(raw: Mapping[str, Any]) -> None:
    """Raise ConfigError for a key that nothing reads; the other groups are checked where they are built."""
    known = _KEYS_BESIDES | {field.name for field in fields(Config)}
    for group, allowed in {"": known, **_KEYS_WITHIN}.items():
        members = raw.get(group) if group else raw
        for name, value in members.items() if isinstance(members, Mapping) else ():
            if name not in allowed:
                key, leaf = _first_leaf(f"{group}.{name}".lstrip("."), value)
                raise ConfigError(key, leaf, hint(key))


def _first_leaf(key: str, value: Any) -> tuple[str, Any]:
    """Return the first key of a group, whole, as it was typed."""
    while isinstance(value, Mapping) and value:
        name, value = next(iter(value.items()))
        key = f"{key}.{name}"
    return key, value


def from_dict(raw: Mapping[str, Any]) -> Config:
    """Check a composed configuration, all of it, and return it; raise ConfigError for the first mistake."""
    _check_keys(raw)

    def top(key: str, kind: Any, holds: Any, allowed: str) -> Any:
        return check(given(raw, key), kind, key, holds, allowed)

    runtime = build(Runtime, given(raw, "runtime"), "runtime")
    config = Config(
        task=_choice(given(raw, "task"), TASKS, "task"),
        method=build(Method, given(raw, "method"), "method"),
        schedule=schedules.build(given(raw, "schedule")),
        control=build(Control, given(raw, "control"), "control"),
        budget=build(Budget, given(raw, "budget"), "budget"),
        optimizer=build(optimizers.Optimizer, given(raw, "optimizer"), "optimizer"),
        model=_choice(given(raw, "model"), NETWORKS, "model"),
        batch_size=top("batch_size", int, at_least(1), _COUNT),
        source_lr=top("source_lr", float, positive, "a number above 0 (step size for the source solution)"),
        log_every=top("log_every", int, at_least(1), f"{_COUNT} (epochs)"),
        seeds=runtime.share(seed_list(given(raw, "seeds"))),
        precision=given(raw, "precision"),
        runtime=runtime,
        save=top("save", bool, None, "true or false (keep the trained parameters)"),
        profile=top("profile", str, is_folder_name, FOLDER_NAME),
        results=Path(top("results.root", str, is_path, FOLDER)),
    )
    top("data.root", str, is_path, FOLDER)  # which a task of images has as its own root
    _check_together(config)
    return config


def _check_together(config: Config) -> None:
    """Raise ConfigError for values that are right each alone, and wrong together."""
    if config.epochs > _EPOCHS:
        raise ConfigError("budget", f"{config.epochs} epochs", f"at most {_EPOCHS} epochs, all steps together")
    if config.model.name not in config.task.models:
        choices = named("model", config.task.models)
        raise ConfigError("model", config.model.name, f"{' or '.join(choices)} for a task of {config.task.name}")
    if config.precision not in config.model.precisions:
        allowed = f"{', '.join(config.model.precisions)} with model={config.model.name}"
        raise ConfigError("precision", config.precision, allowed)
    if config.method.path == "direct" and not config.task.ends_at_target:
        allowed = "one that follows a path with this task and deformation: without a path there is nothing to deform"
        raise ConfigError("method", config.method.name, allowed)
    for name in config.optimizer.unheeded:
        if (value := getattr(config.optimizer, name)) != getattr(optimizers.Optimizer, name):
            raise ConfigError(f"optimizer.{name}", value, f"left out with optimizer.name={config.optimizer.name}")
    tried = config.method.path == "adaptive" or config.method.predictor != "constant"
    if tried and not config.task.tries_steps:
        raise ConfigError("method", config.method.name, "without tried steps for this task and deformation")
    if config.method.path == "direct" and config.method.predictor != "constant":
        raise ConfigError("method.predictor", config.method.predictor, "constant: without a path nothing is predicted")
    if config.method.path == "adaptive" and (config.method.predictor, config.optimizer.moments) != ("constant", "keep"):
        raise ConfigError("method.path", "adaptive", "with method.predictor=constant and optimizer.moments=keep")
    if config.runtime.logger == "tensorboard" and importlib.util.find_spec("tensorboard") is None:
        allowed = "none, as tensorboard is not installed (pip install tensorboard)"
        raise ConfigError("runtime.logger", "tensorboard", allowed)
    n = config.task.training_samples
    if n is not None and config.batch_size > n:
        raise ConfigError("batch_size", config.batch_size, f"at most {n}, the size of the training set")
