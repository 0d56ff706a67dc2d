"""The job `why` looks at the runs that the other experiments save, and at no others."""

import shutil

import pandas as pd
import pytest
import torch

from homotopy import cli, compose
from homotopy.errors import ConfigError, ResultError
from homotopy.results.folder import RunFolder
from homotopy.training import why

SMALL = ["task.samples=60", "batch_size=16", "model.width=8", "model.depth=2"]


def job(root, *overrides):
    (raw,) = compose.jobs(
        ["experiment=why", "profile=smoke", f"results.root={root}", "method=homotopy", *SMALL, *overrides]
    )
    return cli.checked(raw)


def test_it_writes_a_row_per_seed_and_look_and_per_station(tmp_path):
    look = job(tmp_path, "budget.k=4", "budget.final=3", "schedule.gamma=2", "why.every=3")
    why.look(look)
    folder = why.folder(look)
    assert folder.parent == tmp_path / "smoke" / "why"  # its own: the experiment asks for other settings
    epochs, stations = (pd.read_csv(folder / f"homotopy-{table}.csv") for table in why.TABLES)
    assert not why.file(tmp_path / "smoke", "homotopy", "epochs").exists()
    assert epochs.loc[epochs["seed"] == 1, "epoch"].tolist() == [0, 1, 3, 4, 6, 8, 9, 11]
    assert stations.loc[stations["seed"] == 0, "epoch"].tolist() == [4, 8, 11]
    assert stations.loc[stations["seed"] == 0, "lam"].tolist() == [0.5, 1, 1]
    assert (stations["length"] >= stations["distance"] - 1e-9).all()
    assert (stations["mu"] <= stations["largest"]).all()


def test_a_saved_run_must_come_out_again(tmp_path):
    saved_job = job(tmp_path)
    cli.train(saved_job)
    why.look(saved_job)  # equal: no error
    folder = RunFolder(saved_job.config.folder)
    saved = folder.runs()
    saved.loc[0, "target_loss"] *= 1.001
    shutil.rmtree(folder.path)
    folder.add(saved, {"seeds": [0, 1]}, {})
    with pytest.raises(ResultError, match="differs"):
        why.look(saved_job)


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["model=siren"], "model"),
        (["task.features=fourier"], "task"),
        (["method=adaptive"], "method.path"),
        (["task.deformation=gaussian_filter"], "task.deformation"),
    ],
)
def test_what_it_cannot_look_at_is_refused(tmp_path, overrides, key):
    with pytest.raises(ConfigError, match=key):
        job(tmp_path, *overrides)


@pytest.mark.parametrize("override", ["seeds=1", "why.every=7", "why.iterations=3", "budget.k=9"])
def test_other_seeds_and_other_looks_leave_the_profile_s_own_tables(override, tmp_path):
    own, other = (
        why.folder(cli.checked(raw))
        for more in ([], [override])
        for raw in compose.jobs(
            ["experiment=why", "profile=smoke", "method=homotopy", f"results.root={tmp_path}", *more]
        )
    )
    assert own == tmp_path / "smoke/why" and other.parent == own


@pytest.mark.parametrize("deformation", ["linear_targets", "amplitude", "frequency"])
def test_the_problem_is_the_deformation_without_noise(tmp_path, deformation):
    task = job(tmp_path, f"task.deformation={deformation}", "task.noise=0").config.task
    at = task.load([0], torch.device("cpu"), torch.float64).at(0.3)
    values, _ = why.problem(task, 0.3, at.x[0, :, 0])
    torch.testing.assert_close(values, at.y[0, :, 0])
