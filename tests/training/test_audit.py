"""The audit trains a saved run again, and finds a digit that is another."""

from __future__ import annotations

from pathlib import Path

import pytest

from homotopy.results.folder import RunFolder
from homotopy.results.library import Place
from homotopy.training import audit
from homotopy.training.runner import run
from scripts import audit as command


@pytest.fixture
def saved(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Train a tiny configuration, which is all that experiment fig1 asks for, and return its folder."""
    config = tiny("seeds=2")
    pairs = [audit.Pair(run(config), "fig1", seed, "FusedEnsemble") for seed in (0, 1)]
    monkeypatch.setattr(audit, "_pairs", lambda experiments, place: pairs)
    monkeypatch.setattr(audit, "_configs", lambda experiment, place: {config.folder: config})
    return config.folder


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


def test_the_choice_can_be_repeated_and_leaves_out_runs_of_an_unknown_solver(tmp_path: Path, monkeypatch):
    pairs = [audit.Pair(tmp_path, "fig1", seed, "FusedEnsemble" if seed % 2 else None) for seed in range(20)]
    monkeypatch.setattr(audit, "_pairs", lambda experiments, place: pairs)
    place = Place(tmp_path, "smoke")
    assert audit.chosen("5", place, 3) == audit.chosen("5", place, 3) != audit.chosen("5", place, 4)
    assert all(pair.solver for pair in audit.chosen("10", place, 0))
    assert audit.chosen("all", place, 0) == pairs
