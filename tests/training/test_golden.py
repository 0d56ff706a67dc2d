"""Committed curves, trained again from the source task on: the C++ solver still computes every committed digit."""

import gzip
import platform
from pathlib import Path

import pytest

from homotopy import compose, config
from homotopy.results.files import RUNS
from homotopy.results.folder import RunFolder
from homotopy.training import runner
from tests.machine import ROOT, needs_cpp

EPOCHS = 30  # of the path's first step, or of a direct run
SHORT = [f"budget.k={EPOCHS}", "budget.final=1"]
GAMMA_5 = ["method=homotopy", "task.omega=116", "schedule.gamma=5", "budget.k=400"]
OMEGA_137 = ["log_every=5", "seeds=[1000]"]
ONE_STEP = "schedule.gamma=1"  # a direct run has the epochs of a path


def made(*overrides: str) -> config.Config:
    (raw,) = compose.jobs(["profile=paper", "runtime.threads=1", *overrides])
    return config.from_dict(raw)


def rows(folder: Path, seed: int) -> list[str]:
    """The recorded rows of a seed's first epochs, as they stand in the file."""
    lines = gzip.decompress((folder / RUNS).read_bytes()).decode().splitlines()
    keys = [line.split(",")[:2] for line in lines]
    first = [line for line, key in zip(lines, keys, strict=True) if key[0] == str(seed) and int(key[1]) <= EPOCHS]
    return [lines[0], *first]


@needs_cpp
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="bits are promised on x86 processors")
@pytest.mark.parametrize(
    ("seed", "overrides", "shorter"),
    [
        (1, ["seeds=[1]", *GAMMA_5], []),
        (1000, [*OMEGA_137, "method=warmstart", "budget.source=5"], [ONE_STEP]),
        (1000, [*OMEGA_137, "method=random", "optimizer.lr=0.003"], [ONE_STEP]),
    ],
    ids=["homotopy", "warm start", "random"],
)
def test_a_committed_run_begins_with_the_same_rows(
    tmp_path: Path, seed: int, overrides: list[str], shorter: list[str]
) -> None:
    committed = ROOT / made(*overrides).folder
    (record,) = (record for record in RunFolder(committed).metadata()["records"] if seed in record["seeds"])
    assert record["solver"] == "FusedEnsemble"
    again = runner.run(made(*overrides, *SHORT, *shorter, f"results.root={tmp_path}"))
    expected = rows(committed, seed)
    assert rows(again, seed) == expected
    assert len(expected) > EPOCHS / 10
