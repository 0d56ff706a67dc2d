"""Snapshots show the saved run, and no other."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from homotopy.errors import ConfigError, ResultError
from homotopy.report.explorer import NAME
from homotopy.results import snapshots
from homotopy.results.folder import RunFolder
from homotopy.results.library import result
from homotopy.training.runner import run
from homotopy.training.snapshots import take
from scripts import snapshots as command
from tests.machine import ROOT


def test_they_are_what_the_solver_computes_at_the_epochs_and_lams_that_they_name(tiny):
    config = tiny("seeds=[2,7]", "budget.k=5")
    losses = {}

    def evaluate(epoch, lam, ensemble):
        if epoch in found[2].epochs:
            x, y = (torch.tensor(part, dtype=torch.float32)[..., None] for part in _data(found, epoch))
            losses[epoch, lam] = ensemble.evaluate(x, y).max()

    run(config)
    found = take(config, [2, 7])
    run(tiny("seeds=[2,7]", "budget.k=5", results={"root": str(config.results / "elsewhere")}), evaluate)
    assert list(losses) == [(0, 0.0), (25, 0.5), (50, 1.0), (51, 1.0)]
    assert list(zip(found[7].epochs, found[7].lams, strict=True)) == list(losses)
    assert max(losses.values()) < 1e-10


def _data(found, epoch):
    """The snapshots of both seeds at an epoch, as data: x (2, X) and y (2, X)."""
    parts = [(taken.x, taken.y[taken.epochs == epoch][0]) for taken in found.values()]
    return (np.stack(part) for part in zip(*parts, strict=True))


def test_a_run_that_is_not_the_saved_one_is_refused(tiny):
    config = tiny("seeds=2")
    folder = RunFolder(run(config))
    rows = folder.runs().query("seed == 1").reset_index(drop=True)
    rows.loc[3, "test_loss"] *= 1.00001
    folder.add(rows, {"seeds": [1]}, {})
    take(config, [0])
    with pytest.raises(ResultError, match="seed 1.*differs"):
        take(config, [0, 1])
    with pytest.raises(ResultError, match="no seed 5"):
        take(config, [0, 5])


def test_a_file_holds_what_was_written_and_a_damaged_one_is_refused(tmp_path):
    file, again = tmp_path / "a.npz", tmp_path / "b.npz"
    wave = np.sin(np.outer([1.0, 50.0], np.linspace(0, 1, 501)))
    taken = snapshots.Snapshots(np.array([0, 25]), np.array([0.0, 0.1]), np.linspace(0, 1, 501), wave)
    snapshots.write(file, taken)
    snapshots.write(again, taken)
    assert file.read_bytes() == again.read_bytes()
    for name, value in snapshots.read(file)._asdict().items():
        np.testing.assert_allclose(value, getattr(taken, name), atol=0.006)
    file.write_bytes(file.read_bytes()[:-100])
    other = io.BytesIO()
    np.savez(other, x=wave)
    again.write_bytes(other.getvalue())
    for damaged in (file, again):
        with pytest.raises(ResultError, match=damaged.name):
            snapshots.read(damaged)


def ending_at(losses: dict[int, float]) -> pd.DataFrame:
    """Curves of seeds that settle at these losses, though at the last epoch all have the same."""
    epochs = list(range(100, 1001, 20))
    curves = [
        pd.DataFrame({"seed": seed, "epoch": epochs, "target_loss": [*[loss] * (len(epochs) - 1), 1.0]})
        for seed, loss in losses.items()
    ]
    return pd.concat(curves)


def test_the_seeds_shown_are_ranked_by_settled_loss_among_the_first_ten():
    ten = dict(enumerate([0.5, 0.9, 0.1, 0.3, 0.2, 0.8, 0.6, np.inf, 0.7, 0.4]))
    expected = {"best": 2, "median": 0, "worst": 7}
    assert snapshots.ranked(ending_at(ten)) == expected
    assert snapshots.ranked(ending_at(ten | {10: 0.01, 11: 0.02})) == expected
    assert snapshots.ranked(ending_at({3: 0.1})) == {"best": 3, "median": 3, "worst": 3}


def test_the_command_takes_what_is_missing(tiny, tmp_path: Path, monkeypatch, capsys):
    configs = [tiny("seeds=3", f"method={method}") for method in ("random", "homotopy")]
    for config in configs:
        run(config)
    monkeypatch.setattr(command, "tasks", lambda name, place: ([[result(config) for config in configs]], ""))
    arguments = ["profile=smoke", f"results.root={tmp_path}", "experiments=fig1"]
    command.main(arguments)
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert len(files) == len(set(files)) == 6 and all(file.exists() for file in files)
    taken = []
    monkeypatch.setattr(command, "take", lambda config, seeds: taken.append(seeds) or take(config, seeds))
    files[0].unlink()
    command.main(arguments)
    assert len(taken) == 1 and len(taken[0]) == 1 and files[0].exists()


def test_the_command_knows_its_experiments(tmp_path: Path):
    with pytest.raises(ConfigError, match="fig3a.*fig1, fig8"):
        command.main(["experiments=fig3a", f"results.root={tmp_path}"])


def test_the_committed_ones_have_the_committed_losses():
    """On a grid, without noise, the mean squared error is that of the test set, but for chance, less 0.0001."""
    files = sorted((ROOT / "results" / "paper" / "snapshots").glob("*.npz"))
    assert files
    for file in files:
        task, omega, run_folder, _, seed = NAME.fullmatch(file.stem).groups()
        rows = RunFolder(ROOT / "results" / "paper" / task / run_folder).runs()
        losses = rows[rows["seed"] == int(seed)].set_index("epoch")["test_loss"]
        taken = snapshots.read(file)
        at = taken.epochs[1:]
        errors = np.mean((taken.y[1:] - np.sin(float(omega) * taken.x)) ** 2, axis=1) + 0.01**2
        recorded = losses.reindex(at)
        there = recorded.notna().to_numpy()
        assert there.sum() >= 50
        np.testing.assert_allclose(errors[there], recorded[there], rtol=0.15, atol=3e-4, err_msg=file.name)
