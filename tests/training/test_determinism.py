"""What docs/determinism.md promises of whole runs on one machine; parts of runs are in the tests that it names."""

import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from homotopy import compose, config
from homotopy.training import runner
from tests.machine import ROOT, needs_cpp

# the paper's network, whose matrix products are large enough for several threads
REAL = ["profile=smoke", "task.samples=400", "seeds=5", "budget.k=2"]


def files(root, *overrides):
    """Run in a new process; return the bytes of what it leaves, metadata aside.

    A fork of this process would not do: it lacks the threads that OpenMP has started here, and would wait for them.
    """
    (raw,) = compose.jobs([*REAL, f"results.root={root}", *overrides])
    of = config.from_dict(raw)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(runner.run, of).result()
    return {name: (of.folder / name).read_bytes() for name in ("config.yaml", "runs.csv.gz", "median.csv")}


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    return files(tmp_path_factory.mktemp("once"), "runtime.threads=1", "runtime.seeds_at_once=5")


@needs_cpp
@pytest.mark.parametrize(
    "other",
    [
        ["runtime.seeds_at_once=5", "runtime.threads=1"],
        ["runtime.threads=2"],
        ["runtime.seeds_at_once=1"],
        ["runtime.seeds_at_once=2", "runtime.threads=2"],
    ],
)
def test_neither_a_second_time_nor_threads_nor_width_change_a_byte_on_a_cpu(once, other, tmp_path):
    assert files(tmp_path, *other) == once


def test_the_document_names_tests_that_exist():
    text = (ROOT / "docs" / "determinism.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) >= 10
    for file, test in named:
        assert f"\ndef {test}(" in (ROOT / file).read_text(), f"{file}::{test}"
