"""Jobs spread over processes: the same files as from one process, byte for byte."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from homotopy import compose, config, keys
from homotopy.errors import ConfigError, UserError
from homotopy.results.folder import RunFolder
from homotopy.results.locks import holders
from homotopy.training import runner
from tests.machine import ROOT

TINY = ["profile=smoke", "task.samples=60", "batch_size=16", "model.width=8", "model.depth=2", "seeds=3"]
SWEEP = ["experiment=fig1", "task.omega=74", "method=random,homotopy", *TINY]
PLUGINS = {"joblib": "hydra_plugins.hydra_joblib_launcher", "submitit_local": "hydra_plugins.hydra_submitit_launcher"}


def launched(*arguments):
    """Run the training script in an interpreter of its own, which launchers start again."""
    return subprocess.run([sys.executable, "scripts/train.py", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_a_launcher_takes_settings_of_its_own(tmp_path):
    pytest.importorskip(PLUGINS["joblib"], reason="needs pip install -r requirements-launchers.txt")
    short = [
        "profile=smoke",
        "method=random",
        "task.samples=60",
        "batch_size=16",
        "seeds=2",
        f"results.root={tmp_path}",
    ]
    done = launched(*short, "launcher=joblib", "hydra.launcher.n_jobs=1", "runtime.seeds_per_job=1")
    assert done.returncode == 0, done.stderr
    assert RunFolder(Path(done.stdout.split()[-1])).finished() == {0, 1}


@pytest.mark.parametrize("launcher", PLUGINS)
def test_parts_of_ensembles_in_several_processes_merge_exactly(launcher, tmp_path):
    pytest.importorskip(PLUGINS[launcher], reason="needs pip install -r requirements-launchers.txt")
    done = launched(*SWEEP, f"results.root={tmp_path}", f"launcher={launcher}", "runtime.seeds_per_job=2")
    assert done.returncode == 0, done.stderr
    expected = [config.from_dict(raw) for raw in compose.jobs([*SWEEP, f"results.root={tmp_path / 'alone'}"])]
    for alone in expected:
        runner.run(alone)
        folder = tmp_path / alone.folder.relative_to(alone.results)
        assert str(folder) in done.stdout.split()
        for name in ("config.yaml", "runs.csv.gz", "median.csv"):
            assert (folder / name).read_bytes() == (alone.folder / name).read_bytes()
        assert [record["seeds"] for record in RunFolder(folder).metadata()["records"]] in ([[0, 1], [2]], [[2], [0, 1]])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_stops_joblib_s_processes_after_a_checkpoint_and_starts_no_other_job(number, tmp_path):
    """As from a terminal SIGINT reaches all processes, as from a batch system SIGTERM reaches the command alone."""
    pytest.importorskip(PLUGINS["joblib"], reason="needs pip install -r requirements-launchers.txt")
    jobs = ["method=random,homotopy,warmstart", "profile=paper", *TINY[1:], "runtime.checkpoint_minutes=0"]
    command = ["-m", *jobs, "launcher=joblib", "hydra.launcher.n_jobs=2", f"results.root={tmp_path}"]
    process = subprocess.Popen([sys.executable, "scripts/train.py", *command], cwd=ROOT, start_new_session=True)
    began = time.monotonic()
    while len({path.parent for path in tmp_path.glob("*/*/*/checkpoint-*.pt")}) < 2:
        assert process.poll() is None and time.monotonic() - began < 120
        time.sleep(0.1)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    assert process.wait(timeout=60) == 128 + number
    begun = {path.parent for path in tmp_path.glob("paper/*/*/config.yaml")}
    assert len(begun) == 2 and not any(holders(folder) for folder in begun)


@pytest.mark.parametrize("launcher", keys.names("launcher"))
def test_every_launcher_composes_or_says_what_it_needs(launcher):
    try:
        jobs = compose.jobs([f"launcher={launcher}", "experiment=fig1"])
    except UserError as error:
        assert "requirements-launchers.txt" in str(error)
    else:
        assert len(jobs) == 6
        assert [raw["runtime"]["elsewhere"] for raw in jobs] == [launcher == "slurm"] * 6


def test_a_launcher_that_is_not_installed_is_one_line(monkeypatch):
    monkeypatch.setattr(compose, "compose", missing_plugin)
    with pytest.raises(ConfigError, match="launcher=joblib: must be .*pip install -r requirements-launchers.txt"):
        compose.jobs(["launcher=joblib"])


def missing_plugin(*arguments, **options):
    from hydra.errors import MissingConfigException

    raise MissingConfigException("In 'hydra/config': Could not find 'hydra/launcher/joblib'", "hydra/launcher/joblib")


def test_parts_are_all_seeds_once(tiny):
    every = ["seeds=[4,0,7,2,9]", "runtime.seeds_per_job=2"]
    assert [tiny(*every, f"runtime.part={part}").seeds for part in range(4)] == [(4, 0), (7, 2), (9,), ()]
    assert tiny(*every).seeds == (4, 0, 7, 2, 9)
    assert tiny(*every, "runtime.part=1").folder == tiny().folder
    for wrong in (["runtime.part=0"], [*every, "runtime.part=-1"], ["runtime.seeds_per_job=0"]):
        with pytest.raises(ConfigError):
            tiny(*wrong)
