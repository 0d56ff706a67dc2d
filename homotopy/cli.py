"""What scripts/train.py does: checks all the jobs that a command line asks for, and runs those that are not done."""

from __future__ import annotations

import itertools
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from tqdm import tqdm

from homotopy import compose, progress
from homotopy.errors import ConfigError, Diverged, ResultError, UserError, all_of, in_words, shortened
from homotopy.figures import illustrations
from homotopy.job import TRAIN, Job, parse
from homotopy.progress import say
from homotopy.results import failures, status, summary
from homotopy.results.files import nearest_folder
from homotopy.results.folder import RunFolder
from homotopy.script import say_unforeseen, shown
from homotopy.theory import study
from homotopy.training import runner, why
from homotopy.training.device import check_precision, choose_device
from homotopy.training.interruption import Turns, passed_on


def train(job: Job) -> None:
    """Train the configuration's missing seeds; raise Diverged if no seed at all has a finite loss."""
    seeds = job.config.seeds
    if not seeds:
        return  # this job is to train a part of the seeds, and there are fewer parts
    folder = RunFolder(runner.run(job.config))
    if {str(seed) for seed in seeds} <= folder.metadata()["diverged_at"].keys():
        raise Diverged(f"{folder.path}: all {len(seeds)} seeds diverged", job.config.optimizer.lr)


class Kind(NamedTuple):
    """A kind of job: what checks the settings that only it has, and what does it."""

    check: Callable[[Job], Any]
    do: Callable[[Job], None]


_MODES = ("-m", "--multirun", "-r", "--run")  # ours to choose: one job is run, several are swept over
KINDS = {
    TRAIN: Kind(lambda job: None, train),
    "illustrate": Kind(illustrations.chosen, illustrations.compute),
    "theory": Kind(study.settings, study.measure),
    "why": Kind(why.settings, why.look),
}


def start(main: Callable[[], None], script: str, arguments: list[str]) -> None:
    """Do all that a command line asks for; `main` is Hydra's, and hands every job to `do`.

    Everything is checked before anything is written. A job that fails does not stop the others; at the end a table
    says what failed, why, and the command that repeats it, and the exit status is 1.
    """
    if any(argument.startswith("-") and argument not in _MODES for argument in arguments):
        return main()  # --help, --cfg and the like are Hydra's own
    with shown(f"composing and checking {shortened(' '.join(arguments) or 'the default', 50)}"):
        lines = compose.command_lines([argument for argument in arguments if argument not in _MODES])
        jobs_of = [check(line) for line in lines]
        jobs = list(itertools.chain(*jobs_of))
        todo = [job for job in jobs if not _is_done(job)]
        preflight(todo)
    with_work = [any(job in todo for job in its_jobs) for its_jobs in jobs_of]
    open_lines = list(itertools.compress(zip(lines, jobs_of, strict=True), with_work))
    names = [job.name for _, its_jobs in open_lines for job in its_jobs]
    progress.begin(progress.Study(names, _open_epochs(todo)))
    _say_where(todo, len(jobs) - len(todo))
    ended = True
    for line, its_jobs in open_lines:
        alone = len(lines) == 1  # a single job that failed ends so in `do`
        with nullcontext() if alone else suppress(SystemExit), passed_on():
            ended &= _run(main, [script, *_expanded(line, its_jobs)])
    sys.exit(report(jobs, lines) or int(not ended))


def _open_epochs(jobs: Sequence[Job]) -> dict[str, int]:
    """Return by name the epochs that training jobs lack, those of all seeds together."""
    found = {}
    for job in jobs:
        if job.trains:
            missing = set(job.config.seeds)
            with suppress(ResultError):  # a damaged result is made again
                missing -= RunFolder(job.config.folder).finished()
            found[job.name] = len(missing) * job.config.epochs
    return found


def _say_where(todo: Sequence[Job], done: int) -> None:
    """Say what a user may not expect: that some jobs were done before, or that results go to another folder."""
    if todo and done:
        say(f"{done} of {done + len(todo)} jobs were done before")
    root = todo[0].config.results if todo else Path.cwd()
    if not root.is_absolute() and Path.cwd() != compose.CONF.parent:
        say(f"results go to {root.absolute()}")


def preflight(jobs: Sequence[Job]) -> None:
    """Raise UserError for what jobs would fail at on this machine, before they write anything."""
    for root in {job.config.results for job in jobs}:
        _check_writable(root)
    here = [job.config for job in jobs if not job.config.runtime.elsewhere]
    for device, precision in {(each.runtime.device, each.precision) for each in here}:
        check_precision(precision, choose_device(device))
    all_of(task.check_data for task in {repr(each.task): each.task for each in here}.values())


def _run(main: Callable[[], None], command: list[str]) -> bool:
    """Let Hydra run the jobs of a command line, from which it also takes the launcher; say if that fails.

    Return whether it came to its end, whatever became of the jobs.
    """
    sys.argv = command
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises its errors and does not print them
    try:
        main()
    except OSError as error:  # a full disk, say
        say(f"error: {in_words(error)}")
    except Exception as error:  # of a launcher whose worker was killed, say
        say_unforeseen(error)
    else:
        return True
    return False


def _expanded(arguments: Sequence[str], jobs: Sequence[Job]) -> list[str]:
    """Return the arguments for Hydra: a sweep says so, and the seeds of a run may be swept over in parts."""
    given = list(arguments)
    runtime = jobs[0].config.runtime
    size = runtime.seeds_per_job
    parts = max((math.ceil(len(job.config.seeds) / size) for job in jobs if job.trains), default=1) if size else 1
    if parts > 1 and runtime.part is None:
        given.append("runtime.part=" + ",".join(map(str, range(parts))))
    return [*given, "--multirun"] if len(jobs) * parts > 1 else given


def check(arguments: Sequence[str]) -> list[Job]:
    """Compose and check all the jobs that a command line asks for, and return them; nothing is written."""
    return [checked(composed) for composed in compose.jobs(arguments)]


def checked(composed: Mapping[str, Any]) -> Job:
    """Check a composed configuration and return its job; raise ConfigError for the first mistake."""
    job = parse(composed)
    if job.kind not in KINDS:
        raise ConfigError("job", job.kind, " or ".join(KINDS))
    if job.config.runtime.part is not None and not job.trains:
        raise ConfigError("runtime.part", job.config.runtime.part, f"null: a job of kind {job.kind} has no parts")
    KINDS[job.kind].check(job)
    return job


def _is_done(job: Job) -> bool:
    """Whether there is nothing to train, and nothing to say of it; what else a job may do is always done again."""
    of = job.config
    if not job.trains or not of.seeds:
        return job.trains
    return RunFolder(of.folder).settled(of.identity(), of.seeds) and not runner.lacking(of)


def _check_writable(root: Path) -> None:
    try:
        nearest = nearest_folder(root)
        fine = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    except OSError:  # a name that is too long, say
        fine = False
    if not fine:
        raise ConfigError("results.root", root, "a folder that this user can write")


_turns = Turns()  # of this process, if it is one of joblib's


def do(composed: Any) -> None:
    """Run one job of a command line; in a sweep a failure is kept for the end."""
    if "joblib" in HydraConfig.get().launcher._target_:
        _turns.take(lambda: _do(composed))
    else:
        _do(composed)


def _do(composed: Any) -> None:
    job = parse(composed)
    swept = HydraConfig.get().mode == RunMode.MULTIRUN
    given = HydraConfig.get().overrides
    launcher = [text for text in given.hydra if text.startswith("hydra.launcher.")]
    command = shlex.join(["python", "scripts/train.py", *given.task, *launcher])
    study, began, done = progress.study(), time.monotonic(), _is_done(job)
    study.enter(job.name)
    try:
        KINDS[job.kind].do(job)
        failures.clear(job)
        if job.trains and not done:
            took = tqdm.format_interval(time.monotonic() - began)
            say("\n".join(f"{study.position()}{line}; took {took}{study.left()}" for line in summary.lines([job])))
    except Exception as error:
        _keep(job, error, command)
        if not swept:
            sys.exit(getattr(error, "exit_code", 1))


def _keep(job: Job, error: Exception, command: str) -> None:
    say(f"error: {in_words(error)}")
    try:
        path = failures.record(job, error, command)
    except ResultError as second:
        say(f"error: {second}")
    else:
        if not isinstance(error, UserError):
            say(f"the traceback is in {path}")


def report(jobs: Sequence[Job], lines: Sequence[Sequence[str]]) -> int:
    """Print the result folders; say what was found, which jobs failed and how to repeat them.

    `lines` are the command lines that ask for the jobs. Return the exit status.
    """
    from homotopy.figures.registry import FIGURES  # here: all figures take a second to import

    found = [status.problems(job) for job in jobs]
    for job, problems in zip(jobs, found, strict=True):
        if job.trains and not problems:
            print(job.config.folder, flush=True)
    if numbers := summary.lines([job for job in jobs if job.trains]):
        say("\n".join([f"{summary.HEAD}:", *numbers]))
    experiments = [text.partition("=")[2] for line in lines for text in line if text.startswith("experiment=")]
    if not all(found) and (command := summary.drawing(experiments, jobs[0], lines[0], FIGURES)):
        say(f"draw it with: {command}")
    if any(found):
        title = f"{sum(map(bool, found))} of {len(jobs)} jobs failed:"
        say("\n".join([title, *status.failure_table(list(itertools.chain(*found)))]))
    return 1 if any(found) else 0
