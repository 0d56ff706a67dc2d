"""Saved runs made again: whether every row comes out as it is saved, with a look at the networks on the way."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from homotopy.config import Config
from homotopy.results.comparison import Tolerance, difference
from homotopy.results.folder import RunFolder
from homotopy.training.runner import Watch, run


def differences(
    config: Config, watch: Watch | None = None, tolerance: Tolerance | None = None
) -> dict[int, str | None]:
    """Train all seeds of a configuration side by side, on the CPU and in a temporary folder, and compare them.

    Returns, for each seed that is saved, how it differs from that; None if it is equal to the byte or, with a
    tolerance, within that. `watch` is called as by `runner.run`.
    """
    runtime = replace(config.runtime, seeds_at_once=len(config.seeds), device="cpu")
    with tempfile.TemporaryDirectory(prefix="homotopy-again-") as root:
        again = run(replace(config, runtime=runtime, results=Path(root)), watch)
        saved = RunFolder(config.folder).finished().intersection(config.seeds)
        return {seed: difference(config.folder, again, seed, tolerance) for seed in sorted(saved)}
