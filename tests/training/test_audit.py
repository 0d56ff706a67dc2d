"""The audit trains a saved run again, and finds a digit that is another."""

from __future__ import annotations

import runpy
import signal
import sys
from pathlib import Path

import pytest

from homotopy import compose
from homotopy.config import Config, from_dict
from homotopy.errors import Interrupted
from homotopy.results.comparison import INEXACT
from homotopy.results.folder import RunFolder
from homotopy.results.library import Place
from homotopy.training import audit
from homotopy.training.runner import run
from scripts import audit as command
from tests.machine import ROOT


@pytest.fixture
def saved(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Train a tiny configuration, which is all that experiments ask for, and return its folder."""
    return only(tiny("seeds=2"), monkeypatch)


def only(config: Config, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Train what is from then on the only configuration of an experiment; return its folder."""
    monkeypatch.setattr(audit, "_of_sine", lambda experiments, place: {config.folder: "fig1"})
    monkeypatch.setattr(audit, "_configs", lambda experiment, place: {config.folder: config})
    return run(config)


def test_a_run_made_again_is_equal_and_nothing_is_written(saved: Path, tmp_path: Path, capsys):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    command.main(["runs=2", "choice=1", "profile=smoke", f"results.root={tmp_path}"])
    assert capsys.readouterr().out.splitlines()[-1] == "2 of 2 equal"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_the_first_row_with_another_digit_is_shown(saved: Path, tmp_path: Path, capsys):
    folder = RunFolder(saved)
    runs = folder.runs()
    row = runs.index[runs["seed"] == 1][1]
    runs.loc[row, "train_loss"] *= 1.00001
    folder.add(runs[runs["seed"] == 1], {"seeds": [1]}, {})
    with pytest.raises(SystemExit) as ended:
        command.main(["runs=all", "profile=smoke", f"results.root={tmp_path}"])
    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert f"saved 1,{runs.loc[row, 'epoch']}," in out and f"again 1,{runs.loc[row, 'epoch']}," in out
    assert out.splitlines()[-1] == "1 of 2 equal"


def test_the_choice_can_be_repeated_and_leaves_out_runs_of_an_unknown_solver(saved: Path, tmp_path: Path, monkeypatch):
    pairs = [audit.Pair(saved, "fig1", seed, "FusedEnsemble" if seed % 2 else None) for seed in range(20)]
    monkeypatch.setattr(audit, "_finished", lambda folders: pairs)
    place = Place(tmp_path, "smoke")
    assert audit.chosen("5", place, 3) == audit.chosen("5", place, 3) != audit.chosen("5", place, 4)
    assert all(pair.solver for pair in audit.chosen("10", place, 0))
    assert audit.chosen("all", place, 0) == pairs
    inexact = [audit.Pair(saved, "fig1", 20 + i, solver) for i, solver in enumerate(INEXACT)]
    monkeypatch.setattr(audit, "_finished", lambda folders: [*pairs, *inexact])
    assert audit.chosen("all", place, 0) == pairs and not set(inexact) & set(audit.chosen("22", place, 0))


@pytest.mark.parametrize(
    ("hardware", "factor", "is_equal"), [(None, 1.01, False), ("Z80", 1.01, True), ("Z80", 9, False)]
)
def test_image_runs_of_another_processor_are_compared_within_the_tolerance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hardware: str | None, factor: float, is_equal: bool
):
    short = ["schedule.gamma=1", "budget.k=1", "budget.final=1", "method=random", "seeds=1"]
    small = ["task.samples=64", "task.evaluated=32", "task.test_samples=32", "model.stages=[[4],[4]]"]
    (raw,) = compose.jobs(["profile=smoke", "task=mnist_fashion", f"results.root={tmp_path}", *short, *small])
    folder = RunFolder(only(from_dict(raw), monkeypatch))
    runs, (record,) = folder.runs(), folder.metadata()["records"]
    runs.loc[1, "test_loss"] *= factor
    folder.add(runs, record | ({"hardware": hardware} if hardware else {}), {})
    place = Place(tmp_path, "smoke")
    (pair,) = audit.chosen("first_fashion", place, 0)
    assert (audit.tolerance(pair, place) is None) == (hardware is None)
    assert (audit.check(pair, place)[0] is None) == is_equal


@pytest.mark.parametrize("raised", [Interrupted(signal.SIGINT), KeyboardInterrupt()])
def test_an_interrupted_audit_promises_no_checkpoint(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, raised: BaseException
):
    """The checkpoint was in the temporary folder, which is gone."""

    def check(pair: audit.Pair, place: Place):
        raise raised

    monkeypatch.setattr(audit, "check", check)
    monkeypatch.setattr("os._exit", sys.exit)  # which would end the tests, too
    monkeypatch.setattr("sys.argv", ["audit.py", "runs=1", "profile=smoke", f"results.root={tmp_path}"])
    monkeypatch.setattr(audit, "_finished", lambda folders: [audit.Pair(saved, "fig1", 0, "FusedEnsemble")])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "scripts" / "audit.py"), run_name="__main__")
    told = capsys.readouterr().err.splitlines()[-1]
    assert ended.value.code == 130 and told.startswith("interrupted") and "checkpoint" not in told
