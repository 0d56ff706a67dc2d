"""Every experiment is a whole command: it composes in every profile, and its jobs run."""

from __future__ import annotations

import re

import pytest

from homotopy import cli, compose, config
from homotopy.errors import DataError

EXPERIMENTS = sorted(path.stem for path in (compose.CONF / "experiment").glob("*.yaml"))
SMALL = ["task.samples=60", "model.width=8", "model.depth=2"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_file_says_its_own_command(name):
    text = (compose.CONF / "experiment" / f"{name}.yaml").read_text()
    assert re.match(rf"# @package _global_\n# python scripts/train\.py experiment={name}\b", text)


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_composes_and_is_valid(name, profile):
    cli.check([f"experiment={name}", f"profile={profile}"])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_its_first_and_last_job_run(name, tmp_path):
    overrides = [f"experiment={name}", "profile=smoke", f"results.root={tmp_path}"]
    first = compose.jobs(overrides)[0]
    if first["job"] == "train" and first["task"]["name"] == "sine":
        # the map sweeps over batch sizes up to 512
        overrides += [*SMALL, "batch_size=16"] if name != "map" else [*SMALL, "task.samples=700"]
    jobs = compose.jobs(overrides)
    try:
        for raw in (jobs[0], jobs[-1]):
            cli.JOBS[raw["job"]].do(raw)
    except DataError as error:
        pytest.skip(f"no image data here: {error}")
    assert any(tmp_path.rglob("*.csv*")) or any(tmp_path.rglob("*.png"))


def test_fig2a_reuses_what_fig1_and_fig8_computed():
    def folders(name: str) -> set:
        return {config.from_dict(raw).folder for raw in compose.jobs([f"experiment={name}", "profile=paper"])}

    assert folders("fig1") | folders("fig8") < folders("fig2a")


def test_the_map_uses_no_seed_of_a_figure():
    for profile in ("smoke", "quick", "paper"):
        for raw in compose.jobs(["experiment=map", f"profile={profile}"]):
            assert min(config.from_dict(raw).seeds) >= 1000


def test_the_sweep_yields_to_the_command_line():
    jobs = compose.jobs(["experiment=fig1", "task.omega=74", "method=random,homotopy"])
    assert [(raw["task"]["omega"], raw["method"]["name"]) for raw in jobs] == [(74, "random"), (74, "homotopy")]
