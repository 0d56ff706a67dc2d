"""Saved runs made again: whether every row comes out as it is saved, with a look at the networks on the way."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from homotopy.config import Config
from homotopy.errors import ResultError
from homotopy.results import comparison
from homotopy.results.comparison import Tolerance
from homotopy.training.runner import Watch, run


def differences(
    config: Config, watch: Watch | None = None, tolerance: Tolerance | None = None
) -> dict[int, str | None]:
    """Train all seeds of a configuration side by side, on the CPU and in a temporary folder, and compare them.

    Returns, for each seed that is saved, what `comparison.differences` does. `watch` is called as by `runner.run`.
    """
    runtime = replace(config.runtime, seeds_at_once=len(config.seeds), device="cpu")
    with tempfile.TemporaryDirectory(prefix="homotopy-again-") as root:
        again = run(replace(config, runtime=runtime, results=Path(root)), watch)
        return comparison.differences(config.folder, again, tolerance)


def watched(config: Config, watch: Watch) -> None:
    """Train all seeds again, as `differences` does, with a look at the networks on the way.

    Raises ResultError if a run that is saved does not come out again to the byte: what was seen is then another run.
    """
    for seed, found in differences(config, watch).items():
        if found:
            raise ResultError(
                f"{config.folder} seed {seed}, trained again, differs: {found}\n"
                "only runs of the C++ solver are sure to be the same to the digit, and it may be of another version"
            )
