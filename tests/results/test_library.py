"""Where results are, the command that makes them, and figures of studies that a command line has shortened."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from homotopy import cli
from homotopy.results import library
from homotopy.results.library import Place
from tests.machine import command
from tests.made import save

TINY = ["task.samples=60", "batch_size=16", "model.width=8", "model.depth=2", "seeds=1", "budget.final=0"]


@pytest.mark.parametrize(
    "place",
    [
        Place(Path("results"), "quick"),
        Place(Path("results"), "paper"),
        Place(Path("else where"), "smoke"),
        Place(Path("results"), "quick", ("budget.k=6", "seeds=[0,7]")),
    ],
)
def test_the_command_makes_the_results_of_that_place(place):
    (_, script, *arguments) = shlex.split(place.command("fig2b"))
    assert script == "scripts/train.py"
    if " " in str(place.results):  # Hydra reads blanks only in quotes
        arguments = [a.replace(str(place.results), f'"{place.results}"') for a in arguments]
    assert cli.check(arguments) == library.jobs("fig2b", place)


def test_what_tells_results_apart_are_settings_that_change_them():
    line = [
        "experiment=fig8",
        "profile=smoke",
        "budget.k=6",
        "runtime.threads=2",
        "+optimizer.eps=1",
        "hydra.launcher.n_jobs=4",
    ]
    assert library.telling(line) == ("budget.k=6", "+optimizer.eps=1")


def test_studies_whose_names_are_cut_or_changed_have_figures_of_their_own():
    long = [f"optimizer.lr=0.{'0' * 90}{i}" for i in (1, 2)]
    given = [(long[0],), (long[1],), ("seeds=[0,1]",), ("seeds=(0,1)",), ("seeds=[0", "1]")]
    assert len({Place(Path("results"), "quick", overrides).figures for overrides in given}) == len(given)
    assert Place(Path("results"), "quick", ("budget.k=6",)).figures.name == "budget.k=6"


def test_a_shortened_experiment_can_be_plotted(tmp_path):
    place = ["profile=smoke", f"results.root={tmp_path}"]
    trained = command("scripts/train.py", "experiment=fig8", *place, *TINY)
    assert trained.code == 0, trained.err
    without = command("scripts/plot.py", "fig8", *place)
    assert without.code == 2 and f"results.root={tmp_path}" in without.err
    drawn = command("scripts/plot.py", "fig8", *place, *TINY)
    assert drawn.code == 0, drawn.err
    png, pdf = (Path(line) for line in drawn.out.splitlines())
    assert png.name == "fig8.png" and png.exists() and png.parent != tmp_path / "smoke/figures"
    same = command("scripts/plot.py", "experiment=fig8", "runtime.threads=1", *place, *TINY)
    assert same.out == drawn.out
    for names in (["fig8"], []):
        wrong = command("scripts/plot.py", *names, *place, "budget.kk=6")
        assert wrong.code == 2 and "budget.k" in wrong.err and len(wrong.err.splitlines()) == 1
    some = command("scripts/plot.py", *place, *TINY)
    assert some.code == 0 and str(png) in some.out and "fig3a" in some.err.splitlines()[-1]


def test_a_configuration_of_two_experiments_is_read_once(tmp_path, monkeypatch):
    (job,) = cli.check([*TINY, f"results.root={tmp_path}", "profile=smoke"])
    monkeypatch.setattr(library, "jobs", lambda experiment, place: [job])
    found = library.Library(Place(tmp_path, "smoke"))
    first, second = (found.results(name)[0] for name in ("fig1", "fig2a"))
    assert first.curves is second.curves and found.results("fig1")[0] is first


def test_fewer_seeds_of_a_configuration_are_another_result(tmp_path, monkeypatch):
    asked = {
        name: cli.check([*TINY, f"results.root={tmp_path}", "profile=smoke", f"seeds={n}"])
        for name, n in (("fig1", 3), ("fig2a", 2))
    }
    save(asked["fig1"][0].config, lambda of, seed: 0.5, 3)
    monkeypatch.setattr(library, "jobs", lambda experiment, place: asked[experiment])
    found = library.Library(Place(tmp_path, "smoke"))
    assert [found.results(name)[0].seeds for name in ("fig1", "fig2a")] == [3, 2]
