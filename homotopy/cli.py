"""What the scripts share: the jobs that a configuration can ask for, and one-line errors with exit code 2."""

from __future__ import annotations

import itertools
import math
import os
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from homotopy import compose, config, failures, illustrations, runner, settings, status
from homotopy.errors import ConfigError, Diverged, ResultError, UserError, shortened
from homotopy.failures import in_words
from homotopy.files import nearest_folder
from homotopy.interruption import Interrupted
from homotopy.machine import choose_device
from homotopy.progress import say
from homotopy.results import RunFolder
from homotopy.theory import study


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
}


def start(main: Callable[[], None], script: str, arguments: list[str]) -> None:
    """Do all that a command line asks for; `main` is Hydra's, and hands every job to `do`.

    Everything is checked before anything is written. A job that fails does not stop the others; at the end a table
    says what failed, why, and the command that repeats it, and the exit status is 1.
    """
    if any(argument.startswith("-") and argument not in _MULTIRUN for argument in arguments):
        return main()  # --help, --cfg and the like are Hydra's own
    lines = compose.command_lines([argument for argument in arguments if argument not in _MULTIRUN])
    jobs_of = [check(line) for line in lines]
    jobs = list(itertools.chain(*jobs_of))
    todo = [raw for raw in jobs if not _is_done(raw)]
    for raw in todo:
        _check_writable(Path(raw["results"]["root"]))
    here = [raw for raw in todo if not raw["elsewhere"]]
    for name in {raw["device"] for raw in here}:
        choose_device(name)
    for task in {config.from_dict(raw).task for raw in here}:
        task.check_data()
    for line, its_jobs in zip(lines, jobs_of, strict=True):
        if any(raw in todo for raw in its_jobs):
            _run(main, [script, *_expanded(line, its_jobs)])
    sys.exit(report(jobs))


def _run(main: Callable[[], None], command: list[str]) -> None:
    """Let Hydra run the jobs of a command line, from which it also takes the launcher; say if that fails."""
    sys.argv = command
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises its errors and does not print them
    try:
        main()
    except OSError as error:  # a full disk, say
        say(f"error: {in_words(error)}")
    except Exception as error:  # of a launcher whose worker was killed, say
        _say_unforeseen(error)


def _expanded(arguments: Sequence[str], jobs: Sequence[dict[str, Any]]) -> list[str]:
    """Return the arguments for Hydra: a sweep says so, and the seeds of a run may be swept over in parts."""
    given = list(arguments)
    size = jobs[0]["seeds_per_job"]
    parts = max(math.ceil(len(config.from_dict(raw).seeds) / size) for raw in jobs) if size else 1
    if parts > 1 and jobs[0]["part"] is None:
        given.append("part=" + ",".join(map(str, range(parts))))
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
    settings.check(settings.given(raw, "elsewhere"), bool, {"allowed": "true or false"}, "elsewhere")
    config.from_dict(raw)
    JOBS[raw["job"]].check(raw)


def _is_done(raw: dict[str, Any]) -> bool:
    if raw["job"] != "train":
        return False
    checked = config.from_dict(raw)
    return not checked.seeds or RunFolder(checked.folder).settled(checked.identity(), checked.seeds)


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
    try:
        JOBS[raw["job"]].do(raw)
        failures.clear(raw)
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


def report(jobs: Sequence[dict[str, Any]]) -> int:
    """Print the result folders, and say which jobs failed and how to repeat them; return the exit status."""
    found = [status.problems(raw) for raw in jobs]
    for raw, problems in zip(jobs, found, strict=True):
        if raw["job"] == "train" and not problems:
            print(config.from_dict(raw).folder)
    if any(found):
        title = f"{sum(map(bool, found))} of {len(jobs)} jobs failed:"
        say("\n".join([title, *status.failure_table(list(itertools.chain(*found)))]))
    return 1 if any(found) else 0


def guard(work: Callable[..., None], *arguments: Any) -> None:
    """Do the work; end in one line on stderr and an exit code.

    2 is for what the user can mend, 128 + signal for that, 1 for what nobody foresaw: its traceback goes to a file.
    """
    try:
        work(*arguments)
    except UserError as error:
        say(f"error: {' '.join(str(error).split())}")
        sys.exit(error.exit_code)
    except BrokenPipeError:  # of what reads our output: `| head`, say
        sys.stdout = None  # type: ignore[assignment]  # which Python would flush at its end
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        say(f"error: {in_words(error)}")
        sys.exit(2)
    except Exception as error:
        _say_unforeseen(error)
        sys.exit(1)
    except Interrupted as interrupted:
        say("interrupted; the same command goes on from the checkpoint")
        sys.exit(interrupted.exit_code)
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from the last checkpoint")
        sys.exit(130)


def _say_unforeseen(error: Exception) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="homotopy-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    say(f"error: {in_words(error)}; the traceback is in {file.name}")


def options(arguments: Sequence[str], defaults: dict[str, str]) -> dict[str, str]:
    """Read key=value arguments of a script that composes no configuration; raise UserError for an unknown key."""
    given = dict(argument.partition("=")[::2] for argument in arguments)
    for argument in arguments:
        if "=" not in argument or argument.partition("=")[0] not in defaults:
            raise UserError(f"{shortened(argument)}: must be KEY=VALUE with a key of {', '.join(defaults)}")
    for key, value in given.items():
        if not value and defaults[key]:
            raise ConfigError(key, value, f"given (without it: {defaults[key]})")
    return defaults | given
