"""What scripts/train.py does: checks all the jobs that a command line asks for, and runs those that are not done."""

from __future__ import annotations

import itertools
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from tqdm import tqdm

from homotopy import compose, config, progress, settings
from homotopy.errors import ConfigError, Diverged, ResultError, UserError, all_of, in_words, shortened
from homotopy.figures import illustrations
from homotopy.progress import say
from homotopy.results import failures, status, summary
from homotopy.results.files import nearest_folder
from homotopy.results.folder import RunFolder
from homotopy.script import say_unforeseen, shown
from homotopy.theory import study
from homotopy.training import runner, why
from homotopy.training.device import check_precision, choose_device


def train(raw: dict[str, Any]) -> None:
    """Train the configuration's missing seeds; raise Diverged if no seed at all has a finite loss."""
    checked = config.from_dict(raw)
    if not checked.seeds:
        return  # a part beyond the last
    folder = RunFolder(runner.run(checked))
    if {str(seed) for seed in checked.seeds} <= folder.metadata().get("diverged_at", {}).keys():
        raise Diverged(f"{folder.path}: all {len(checked.seeds)} seeds diverged", checked.optimizer.lr)


class Job(NamedTuple):
    """What checks the settings that only this job has, and what does it."""

    check: Callable[[dict[str, Any]], Any]
    do: Callable[[dict[str, Any]], None]


_MULTIRUN = ("-m", "--multirun")
JOBS = {
    "train": Job(lambda raw: None, train),
    "illustrate": Job(illustrations.check, illustrations.compute),
    "theory": Job(study.settings, study.measure),
    "why": Job(why.check, why.look),
}


def start(main: Callable[[], None], script: str, arguments: list[str]) -> None:
    """Do all that a command line asks for; `main` is Hydra's, and hands every job to `do`.

    Everything is checked before anything is written. A job that fails does not stop the others; at the end a table
    says what failed, why, and the command that repeats it, and the exit status is 1.
    """
    if any(argument.startswith("-") and argument not in _MULTIRUN for argument in arguments):
        return main()  # --help, --cfg and the like are Hydra's own
    with shown(f"composing and checking {shortened(' '.join(arguments) or 'the default', 50)}"):
        lines = compose.command_lines([argument for argument in arguments if argument not in _MULTIRUN])
        jobs_of = [check(line) for line in lines]
        jobs = list(itertools.chain(*jobs_of))
        todo = [raw for raw in jobs if not _is_done(raw)]
        preflight(todo)
    progress.begin(progress.Study([failures.name(raw) for raw in jobs], _open_epochs(todo)))
    _say_where(todo, len(jobs) - len(todo))
    for line, its_jobs in zip(lines, jobs_of, strict=True):
        if any(raw in todo for raw in its_jobs):
            _run(main, [script, *_expanded(line, its_jobs)])
    sys.exit(report(jobs, lines))


def _open_epochs(jobs: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return by name the epochs that training jobs lack, those of all seeds together."""
    found = {}
    for raw in jobs:
        if raw["job"] == "train":
            checked = config.from_dict(raw)
            try:
                missing = set(checked.seeds) - RunFolder(checked.folder).finished()
            except ResultError:  # a damaged result, which is made again
                missing = set(checked.seeds)
            found[checked.name] = len(missing) * checked.epochs
    return found


def _say_where(todo: Sequence[dict[str, Any]], done: int) -> None:
    """Say what a user may not expect: that some jobs were done before, or that results go to another folder."""
    if todo and done:
        say(f"{done} of {done + len(todo)} jobs were done before")
    root = Path(todo[0]["results"]["root"]) if todo else Path.cwd()
    if not root.is_absolute() and Path.cwd() != compose.CONF.parent:
        say(f"results go to {root.absolute()}")


def preflight(jobs: Sequence[dict[str, Any]]) -> None:
    """Raise UserError for what jobs would fail at on this machine, before they write anything."""
    for raw in jobs:
        _check_writable(Path(raw["results"]["root"]))
    here = [raw for raw in jobs if not raw["runtime"]["elsewhere"]]
    for device, precision in {(raw["runtime"]["device"], raw["precision"]) for raw in here}:
        check_precision(precision, choose_device(device))
    all_of(task.check_data for task in dict.fromkeys(config.from_dict(raw).task for raw in here))


def _run(main: Callable[[], None], command: list[str]) -> None:
    """Let Hydra run the jobs of a command line, from which it also takes the launcher; say if that fails."""
    sys.argv = command
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises its errors and does not print them
    try:
        main()
    except OSError as error:  # a full disk, say
        say(f"error: {in_words(error)}")
    except Exception as error:  # of a launcher whose worker was killed, say
        say_unforeseen(error)


def _expanded(arguments: Sequence[str], jobs: Sequence[dict[str, Any]]) -> list[str]:
    """Return the arguments for Hydra: a sweep says so, and the seeds of a run may be swept over in parts."""
    given = list(arguments)
    runtime = jobs[0]["runtime"]
    size = runtime["seeds_per_job"]
    parts = max(math.ceil(len(config.from_dict(raw).seeds) / size) for raw in jobs) if size else 1
    if parts > 1 and runtime["part"] is None:
        given.append("runtime.part=" + ",".join(map(str, range(parts))))
    return [*given, "--multirun"] if len(jobs) * parts > 1 else given


def check(arguments: Sequence[str]) -> list[dict[str, Any]]:
    """Compose and check all the jobs that a command line asks for, and return them; nothing is written."""
    jobs = compose.jobs(arguments)
    for raw in jobs:
        check_job(raw)
    return jobs


def check_job(raw: dict[str, Any]) -> None:
    """Check a composed configuration; raise ConfigError for the first mistake."""
    known = {"holds": JOBS.__contains__, "allowed": " or ".join(JOBS)}
    settings.check(settings.given(raw, "job"), str, known, "job")
    config.from_dict(raw)
    JOBS[raw["job"]].check(raw)


def _is_done(raw: dict[str, Any]) -> bool:
    if raw["job"] != "train":
        return False
    checked = config.from_dict(raw)
    settled = RunFolder(checked.folder).settled(checked.identity(), checked.seeds)
    return not checked.seeds or (settled and not runner.lacking(checked))  # what is lacking is to be said


def _check_writable(root: Path) -> None:
    try:
        nearest = nearest_folder(root)
        fine = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    except OSError:  # a name that is too long, say
        fine = False
    if not fine:
        raise ConfigError("results.root", root, "a folder that this user can write")


def do(raw: Any) -> None:
    """Run one job of a command line; in a sweep a failure is kept for the end."""
    swept = HydraConfig.get().mode == RunMode.MULTIRUN
    command = shlex.join(["python", "scripts/train.py", *HydraConfig.get().overrides.task])
    study, began, done = progress.study(), time.monotonic(), _is_done(raw)
    study.enter(failures.name(raw))
    try:
        JOBS[raw["job"]].do(raw)
        failures.clear(raw)
        if raw["job"] == "train" and not done:
            took = tqdm.format_interval(time.monotonic() - began)
            say("\n".join(f"{study.position()}{line}; took {took}{study.left()}" for line in summary.lines([raw])))
    except Exception as error:
        _keep(raw, error, command)
        if not swept:
            sys.exit(getattr(error, "exit_code", 1))


def _keep(raw: Any, error: Exception, command: str) -> None:
    say(f"error: {in_words(error)}")
    try:
        path = failures.record(raw, error, command)
    except ResultError as second:
        say(f"error: {second}")
    else:
        if not isinstance(error, UserError):
            say(f"the traceback is in {path}")


def report(jobs: Sequence[dict[str, Any]], lines: Sequence[Sequence[str]]) -> int:
    """Print the result folders; say what was found, which jobs failed and how to repeat them.

    `lines` are the command lines that ask for the jobs. Return the exit status.
    """
    found = [status.problems(raw) for raw in jobs]
    for raw, problems in zip(jobs, found, strict=True):
        if raw["job"] == "train" and not problems:
            print(config.from_dict(raw).folder, flush=True)
    if numbers := summary.lines([raw for raw in jobs if raw["job"] == "train"]):
        say("\n".join([f"{summary.HEAD}:", *numbers]))
    experiments = [text.partition("=")[2] for line in lines for text in line if text.startswith("experiment=")]
    if not all(found) and (command := summary.drawing(experiments, jobs[0], lines[0])):
        say(f"draw it with: {command}")
    if any(found):
        title = f"{sum(map(bool, found))} of {len(jobs)} jobs failed:"
        say("\n".join([title, *status.failure_table(list(itertools.chain(*found)))]))
    return 1 if any(found) else 0
