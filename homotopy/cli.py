"""What the scripts share: the jobs that a configuration can ask for, and one-line errors with exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from homotopy import compose, config, illustrations, runner
from homotopy.errors import ConfigError, Diverged, UserError
from homotopy.interruption import Interrupted
from homotopy.progress import say
from homotopy.results import RunFolder
from homotopy.theory import study


def train(raw: dict[str, Any]) -> None:
    """Train the configuration's missing seeds; raise Diverged if no seed at all has a finite loss."""
    checked = config.from_dict(raw)
    folder = RunFolder(runner.run(checked))
    if {str(seed) for seed in checked.seeds} <= folder.metadata().get("diverged_at", {}).keys():
        raise Diverged(f"{folder.path}: all {len(checked.seeds)} seeds diverged", checked.optimizer.lr)
    print(folder.path)


class Job(NamedTuple):
    """What checks the settings that only this job has, and what does it."""

    check: Callable[[dict[str, Any]], Any]
    do: Callable[[dict[str, Any]], None]


JOBS = {
    "train": Job(lambda raw: None, train),
    "illustrate": Job(illustrations.check, illustrations.compute),
    "theory": Job(study.settings, study.measure),
}


def do(raw: Any) -> None:
    """Run the job that a composed configuration asks for."""
    guard(JOBS[raw["job"]].do, raw)


def check(arguments: Sequence[str]) -> None:
    """Compose and check all that a command line asks for, before anything is written."""
    if any(argument.startswith("-") and argument not in ("-m", "--multirun") for argument in arguments):
        return  # --help, --cfg and the like are Hydra's own
    for raw in compose.jobs([argument for argument in arguments if not argument.startswith("-")]):
        if raw["job"] not in JOBS:
            raise ConfigError("job", raw["job"], " or ".join(JOBS))
        config.from_dict(raw)
        JOBS[raw["job"]].check(raw)


def guard(work: Callable[..., None], *arguments: Any) -> None:
    """Do the work; end in one line on stderr and an exit code: 2 for what the user can mend, 128 + signal for that."""
    try:
        work(*arguments)
    except UserError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    except Interrupted as interrupted:
        say("interrupted; the same command goes on from the checkpoint")
        sys.exit(interrupted.exit_code)
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from the last checkpoint")
        sys.exit(130)


def options(arguments: Sequence[str], defaults: dict[str, str]) -> dict[str, str]:
    """Read key=value arguments of a script that composes no configuration; raise ConfigError for an unknown key."""
    given = dict(argument.partition("=")[::2] for argument in arguments)
    for key, value in given.items():
        if key not in defaults:
            raise ConfigError(key, value, f"one of the keys {', '.join(defaults)}")
    return defaults | given
