"""Small real configurations for tests."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

# before torch is imported anywhere: the tests' problems are too small for more threads
os.environ.setdefault("OMP_NUM_THREADS", "1")
# bytes are promised on a CPU, and children of a process that has used a GPU cannot use it; tests of a GPU name it
os.environ["HOMOTOPY_DEVICE"] = "cpu"

from homotopy import compose, config  # noqa: E402
from homotopy.tasks import datasets  # noqa: E402
from tests.images import write_small  # noqa: E402

TINY = ["profile=smoke", "task.samples=60", "batch_size=16", "model.width=8", "model.depth=2"]


@pytest.fixture
def tiny(tmp_path: Path):
    """Return a function from overrides to a checked configuration that trains in milliseconds."""

    def make(*overrides: str, **replaced: Any) -> config.Config:
        (raw,) = compose.jobs([*TINY, f"results.root={tmp_path}", *overrides])
        return config.from_dict(raw | replaced)

    return make


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that writes a small data set below tmp_path, whose files are from then on the official ones."""

    def make(name: str) -> Path:
        folder = write_small(name, tmp_path)
        md5 = {file: hashlib.md5((folder / file).read_bytes()).hexdigest() for file in datasets.DATASETS[name].md5}
        monkeypatch.setitem(datasets.DATASETS, name, datasets.DATASETS[name]._replace(md5=md5))
        return folder

    return make
