"""Every experiment is a whole command: it composes in every profile, and its jobs run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from homotopy import cli, compose, config
from homotopy.figures.tables import find
from homotopy.results import outline, status
from homotopy.results.comparison import INEXACT
from homotopy.results.folder import RunFolder
from homotopy.results.library import Place
from scripts import reproduce
from tests.machine import command
from tests.made import save_experiment

EXPERIMENTS = sorted(path.stem for path in (compose.CONF / "experiment").glob("*.yaml"))


@cache
def jobs(name: str, profile: str) -> list[dict]:
    return compose.jobs([f"experiment={name}", f"profile={profile}"])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_file_says_its_own_command(name):
    text = (compose.CONF / "experiment" / f"{name}.yaml").read_text()
    assert re.match(rf"# @package _global_\n# python scripts/train\.py experiment={name}\b", text)


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_composes_and_is_valid(name, profile):
    for raw in jobs(name, profile):
        cli.checked(raw)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_its_first_and_last_job_run(name, tmp_path):
    for of in (jobs(name, "smoke")[0], jobs(name, "smoke")[-1]):
        job = cli.checked(small(of) | {"results": {"root": str(tmp_path)}})
        cli.KINDS[job.kind].do(job)
        if job.trains:
            assert status.look_up(outline.of(job.config)).missing == 0
        else:
            assert any(tmp_path.rglob("*.csv*"))


def small(raw: dict) -> dict:
    """Return a sine study's job with a small network and few data; others are small in profile smoke."""
    if raw["job"] not in ("train", "why") or raw["task"]["name"] != "sine":
        return raw
    task, model = raw["task"] | {"samples": 60}, raw["model"] | {"width": 8, "depth": 2}
    return raw | {"task": task, "model": model, "batch_size": min(raw["batch_size"], 16)}


def test_fig2a_reuses_what_fig1_and_fig8_computed():
    def folders(name: str) -> set:
        return {config.from_dict(raw).folder for raw in jobs(name, "paper")}

    assert folders("fig1") | folders("fig8") < folders("fig2a")


SEEDS = {74: 100, 95: 40, 116: 40, 137: 100}  # omega: seeds; 20 at the others


@pytest.mark.parametrize("name", ["fig1", "fig8", "fig2a"])
def test_profile_paper_asks_for_the_registered_seeds_at_each_omega(name):
    for raw in jobs(name, "paper"):
        assert raw["seeds"] == SEEDS.get(raw["task"]["omega"], 20)


@pytest.mark.parametrize(
    ("names", "seeds"),
    [(["fig2b"], 40), (["omega_gamma", "ablation", "adaptive", "appendix_c", "fig3a", "fig3b"], 10)],
)
def test_profile_paper_asks_for_the_registered_seeds(names, seeds):
    assert {raw["seeds"] for name in names for raw in jobs(name, "paper")} == {seeds}


def test_the_command_line_overrides_the_number_of_seeds():
    assert {raw["seeds"] for raw in compose.jobs(["experiment=fig2a", "profile=paper", "seeds=3"])} == {3}


def test_the_map_has_twelve_plain_settings_with_the_paper_s_epochs_at_both_omegas():
    configs = [config.from_dict(raw) for raw in jobs("map", "paper")]
    settings = {(c.model.init, c.task.noise, c.batch_size) for c in configs}
    assert len(settings) == 12 and len({c.folder for c in configs}) == len(configs) == 12 * 2 * 3
    assert {(c.task.omega, c.epochs, c.seeds) for c in configs} == {
        (omega, 2500, tuple(range(1000, 1005))) for omega in (74, 137)
    }


def test_the_map_uses_no_seed_of_a_figure():
    for profile in ("smoke", "quick", "paper"):
        for raw in jobs("map", profile):
            assert min(config.from_dict(raw).seeds) >= 1000


def test_the_sweep_yields_to_the_command_line():
    swept = compose.jobs(["experiment=fig1", "task.omega=74", "method=random,homotopy"])
    assert [(raw["task"]["omega"], raw["method"]["name"]) for raw in swept] == [(74, "random"), (74, "homotopy")]


def test_a_forced_key_wins_over_the_sweep_as_hydra_has_it():
    forced = compose.jobs(["experiment=fig1", "method=random", "++task.omega=95"])
    assert {raw["task"]["omega"] for raw in forced} == {95}


@pytest.mark.parametrize("options", [["experiment=fig1"], ["method=random,homotopy"]])
def test_a_sweep_takes_settings_of_hydra_s_own_and_its_jobs_have_none(options):
    for raw in compose.jobs([*options, "hydra.sweep.dir=elsewhere"]):
        assert "hydra" not in raw
        config.from_dict(raw)


def test_reproduce_in_profile_paper_leaves_no_experiment_out():
    commands = reproduce.steps("paper", "results")
    run = {word.removeprefix("experiment=") for words in commands for word in words if word.startswith("experiment=")}
    assert run == set(EXPERIMENTS) - {"fig9"}  # theory measures it


@pytest.mark.parametrize("name", ["search_fashion", "search_cifar"])
def test_a_search_gives_every_setting_the_same_epochs(name):
    for profile in ("smoke", "quick", "paper"):
        assert {config.from_dict(raw).epochs for raw in jobs(name, profile)} == {20}


@pytest.mark.parametrize(
    ("name", "epochs", "inits", "paths"),
    [
        ("screen_fashion", 40, {"pytorch_default", "glorot_zero_bias", "he_zero_bias"}, {(5, 1), (4, 2)}),
        ("screen_cifar", 100, {"pytorch_default", "he_zero_bias"}, {(10, 1), (10, 2)}),
    ],
)
def test_a_screen_is_as_registered(name, epochs, inits, paths):
    found = [config.from_dict(raw) for raw in jobs(name, "paper")]
    by_setting = groupby(found, lambda of: (json.dumps(of.model.stages), of.model.init))
    assert {init for _, init in by_setting} == inits and len(by_setting) == 3 * len(inits)
    for of in by_setting.values():
        methods = {
            method: [(c.batch_size, c.budget.source, c.schedule.gamma, c.budget.k, c.task.pairing) for c in each]
            for method, each in groupby(of, lambda c: c.method.name).items()
        }
        assert [batch for batch, *_ in methods["random"]] == [16, 32, 64, 128]
        assert [tried[:2] for tried in methods["warmstart"]] == [(32, 1), (32, 3), (32, 5), (32, 10)]
        tried = {(32, 5, *path, pairing) for path in paths for pairing in ("random", "fixed")}
        assert len(methods["homotopy"]) == 4 and set(methods["homotopy"]) == tried
    assert {(c.epochs, c.seeds, c.task.samples, c.task.test_samples, c.task.images) for c in found} == {
        (epochs, (2000, 2001, 2002), 5000, 1000, "embedded")
    }
    assert all(c.path_epochs <= epochs / 5 for c in found)
    assert len({c.folder for c in found}) == len(found)


def groupby(items: list, key) -> dict:
    found: dict = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


@pytest.mark.parametrize("name", ["vgg11", "vgg16"])
def test_the_screen_s_networks_are_an_eighth_of_the_published_ones(name):
    """Simonyan and Zisserman (2015), Table 1, configurations A and D."""
    published = {
        "vgg11": [[64], [128], [256] * 2, [512] * 2, [512] * 2],
        "vgg16": [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3],
    }
    (raw,) = compose.jobs(["task=mnist_fashion", f"model={name}_narrow"])
    assert [[8 * width for width in stage] for stage in raw["model"]["stages"]] == published[name]
    assert [8 * width for width in raw["model"]["hidden"]] == [4096, 4096] and not raw["model"]["batch_norm"]


@pytest.mark.parametrize(("given", "folder"), [({}, "data"), ({"HOMOTOPY_DATA": "own"}, "own")])
def test_reproduce_looks_for_data_where_its_steps_do(given, folder, tmp_path, monkeypatch):
    def look(root):
        looked.append(Path(root))
        return []

    ran, looked = [], []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", given)
    monkeypatch.setattr(reproduce, "unusable", look)
    monkeypatch.setattr(
        subprocess, "run", lambda command, cwd: ran.append(Path(cwd)) or subprocess.CompletedProcess(command, 0)
    )
    with pytest.raises(SystemExit):
        reproduce.main(["profile=paper"])
    assert looked == [ran[0] / folder] and len(set(ran)) == 1


def test_reproduce_ends_by_saying_where_report_and_figures_are(tmp_path, monkeypatch, capsys):
    (tmp_path / "quick" / "figures").mkdir(parents=True)
    report, figure = tmp_path / "quick" / "REPORT.md", tmp_path / "quick" / "figures" / "fig1.png"
    report.touch(), figure.touch()
    monkeypatch.setattr(subprocess, "run", lambda command, cwd: subprocess.CompletedProcess(command, 0))
    with pytest.raises(SystemExit) as ended:
        reproduce.main([f"results.root={tmp_path}"])
    assert ended.value.code == 0
    last = capsys.readouterr().err.partition("done in")[2]
    assert str(report) in last and f"1 in {figure.parent}" in last


def test_reproduce_says_which_runs_are_equal_to_committed_ones(tmp_path):
    place, committed = Place(tmp_path / "mine", "quick"), Place(tmp_path / "committed", "paper")
    save_experiment("fig1", place, lambda run, seed: 0.1)
    save_experiment("fig1", committed, lambda run, seed: 0.2 if (run.method.name, seed) == ("random", 1) else 0.1, 2)
    told, *others = reproduce.equal(place, committed)
    assert "10 of 12 runs" in told  # 6 configurations with 2 seeds in common; committed seeds come first
    assert len(others) == 2 and all("random-" in line and line.endswith("seed 1") for line in others)
    assert reproduce.equal(place, Place(tmp_path / "nothing", "paper")) == []
    assert reproduce.equal(committed, committed) == []


@pytest.mark.parametrize("solver", INEXACT)
def test_reproduce_says_nothing_of_runs_whose_digits_are_not_promised(solver, tmp_path):
    place, committed = Place(tmp_path / "mine", "quick"), Place(tmp_path / "committed", "paper")
    save_experiment("fig2b", place, lambda run, seed: 0.1)
    save_experiment("fig2b", committed, lambda run, seed: 0.2)
    for metadata in committed.folder.glob("*/*/metadata.json"):
        folder = RunFolder(metadata.parent)
        (record,) = folder.metadata()["records"]
        runs = folder.runs()
        shutil.rmtree(folder.path)
        folder.add(runs, record | {"solver": solver}, {})
    assert reproduce.equal(place, committed) == []


def test_reproduce_lets_a_step_end_that_ctrl_c_stops(tmp_path):
    """As in a terminal Ctrl-C reaches both; the step takes longer to end than subprocess waits for it."""
    step, done = tmp_path / "step.py", tmp_path / "done"
    step.write_text(
        "import os, pathlib, signal, sys, time\n"
        "def stop(*_):\n"
        f"    time.sleep(1); pathlib.Path({str(done)!r}).touch(); sys.exit(130)\n"
        "signal.signal(signal.SIGINT, stop)\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    with pytest.raises(KeyboardInterrupt):
        reproduce.run([str(step)])
    assert done.exists()


def test_quick_makes_committed_runs_of_figure_1_again():
    def folders(profile: str) -> list[Path]:
        return [config.from_dict(raw).folder.relative_to(f"results/{profile}") for raw in jobs("fig1", profile)]

    assert folders("quick") == folders("paper")


@pytest.mark.parametrize(
    ("name", "figure", "other"),
    [
        ("fig5", "illustrations/fig5.csv.gz", ["task.omega=20"]),
        ("theory", "theory/lipschitz.csv", ["theory.files=[lipschitz]", "theory.repetitions=30"]),
        ("why", "why/random-epochs.csv", ["method=random", "task.samples=60", "batch_size=16", "model.width=8"]),
    ],
)
def test_what_is_made_with_other_settings_leaves_the_profile_s_own_files(tmp_path, name, figure, other):
    own = tmp_path / "smoke" / figure
    own.parent.mkdir(parents=True)
    own.write_text("x\n1\n")
    line = [f"experiment={name}", "profile=smoke", f"results.root={tmp_path}", *other]
    done = command("scripts/train.py", *line)
    assert done.code == 0, done.err
    made = [Path(text) for text in done.out.split() if text.endswith(own.name)]
    assert len(made) == 1 and made[0].parent.parent == own.parent and own.read_text() == "x\n1\n"
    place = Place(tmp_path, "smoke", tuple(other))
    assert find(place, figure, name) == made[0] and find(Place(tmp_path, "smoke"), figure, name) == own


def test_a_job_that_does_not_train_has_no_parts(tmp_path):
    line = ["experiment=fig4", "profile=smoke", f"results.root={tmp_path}", "runtime.seeds_per_job=1"]
    done = command("scripts/train.py", *line)
    assert done.code == 0 and len(done.out.split()) == 1
    assert command("scripts/train.py", *line, "runtime.part=0").code == 2
