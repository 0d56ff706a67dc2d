"""What a command says while it works, and what it found at its end."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import sys
import termios

import numpy as np
import pytest

from homotopy import compose, config, keys, progress, script
from homotopy.figures.registry import FIGURES
from homotopy.job import parse
from homotopy.results import summary
from homotopy.results.library import result
from homotopy.results.statistics import settled
from tests.machine import ROOT, command
from tests.made import save

TINY = ["profile=smoke", "task.samples=60", "batch_size=16", "model.width=8", "model.depth=2"]


def test_a_settled_loss_is_the_median_of_the_last_epochs():
    epochs = np.arange(10, 1001, 10)
    curve = np.where(epochs > 900, 1.0, 9.0)
    curve[-1] = 50.0  # a flicker at the end
    assert settled(epochs, np.stack([curve, 2 * curve])).tolist() == [1.0, 2.0]
    assert settled(epochs, curve, last=10) == 50.0
    assert settled(np.arange(1, 21), np.arange(20.0, 0, -1)) == 2.5  # of 20 epochs the last 4
    assert settled(np.array([1]), np.array([[3.0], [np.inf]])).tolist() == [3.0, np.inf]


def jobs(tmp_path, *more):
    return [parse(composed) for composed in compose.jobs([*TINY, f"results.root={tmp_path}", *more])]


def test_the_numbers_are_the_results_a_line_for_each_setting(tmp_path):
    found = jobs(tmp_path, "experiment=fig1", "seeds=3", "schedule.gamma=5,10", "budget.final=5")
    losses = {"random": 0.25, "warmstart": 0.125, "homotopy": float("inf")}
    for of in (job.config for job in found):
        if of.task.omega == 74:
            save(of, lambda of, seed: losses[of.method.name] * (1 + seed), 3 if of.method.name == "random" else 2)
    assert summary.lines(found) == [
        f"sine-omega74, gamma {gamma}, 2 to 3 seeds: random init. 0.5, warm start 0.19, homotopy diverged"
        for gamma in (5, 10)
    ]


def test_every_setting_in_which_jobs_differ_stands_in_its_label(tmp_path):
    """Among them those that only some of the jobs have."""
    explicit = jobs(tmp_path, "schedule=explicit")
    for of in (job.config for job in [*jobs(tmp_path, "schedule=linear,sublinear"), *explicit]):
        save(of, lambda of, seed: 0.5, 2)
    lines = summary.lines([*jobs(tmp_path, "schedule=linear,sublinear"), *explicit])
    assert len(lines) == 3 and "None" not in "".join(lines)
    assert "values" in lines[2] and "gamma" not in lines[2] and "gamma" in lines[0]


@pytest.mark.parametrize("name", keys.names("experiment"))
def test_every_experiment_is_followed_by_what_draws_or_judges_it(name, tmp_path):
    (job, *_) = jobs(tmp_path)
    _, script, first, *rest = summary.drawing([name], job, [], FIGURES).split()
    assert first in FIGURES if script == "scripts/plot.py" else script == "scripts/report.py"
    assert (first in FIGURES) or name not in FIGURES
    assert rest[-1] == f"results.root={tmp_path}" or first == "profile=smoke"
    assert summary.drawing([], job, [], FIGURES) == ""
    assert "scripts/report.py" in summary.drawing(["an_own_one"], job, [], FIGURES)


def test_a_piped_command_says_a_line_for_every_finished_run_and_the_numbers(tmp_path):
    line = [*TINY, f"results.root={tmp_path}", "experiment=fig2b"]
    done = command("scripts/train.py", *line, "method=random,warmstart")
    assert done.code == 0
    first, second, head, numbers, _ = done.err.splitlines()
    losses = [
        f"{summary.loss(result(config.from_dict(raw))):.2g}" for raw in compose.jobs([*line, "method=random,warmstart"])
    ]
    assert "median" in head and "last 100 epochs" in head
    assert numbers == f"sine-omega137, 2 seeds: random init. {losses[0]}, warm start {losses[1]}"
    left = r"took [\d:]+, [\d:]+ left for all"
    assert re.fullmatch(rf"1 of 2: sine-omega137, 2 seeds: random init\. {losses[0]}; {left}", first)
    assert re.fullmatch(rf"2 of 2: sine-omega137, 2 seeds: warm start {losses[1]}; took [\d:]+", second)
    more = command("scripts/train.py", *line).err.splitlines()
    assert more[0] == "2 of 3 jobs were done before" and [text[:6] for text in more].count("3 of 3") == 1
    drawn = command(*more[-1].partition("python ")[2].split())
    assert drawn.code == 0 and drawn.out.splitlines()[0].endswith("fig2b.png")


def on_a_terminal(*arguments: str) -> str:
    child, terminal = pty.fork()
    if not child:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, *arguments])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    shown = b""
    try:
        while data := os.read(terminal, 4096):
            shown += data
    except OSError:  # how Linux says that the other end is closed
        pass
    os.waitpid(child, 0)
    os.close(terminal)
    return shown.decode()


def test_on_a_terminal_something_is_shown_from_the_start(tmp_path):
    shown = on_a_terminal("scripts/train.py", *TINY, f"results.root={tmp_path}", "method=random,homotopy", "seeds=1")
    assert shown.startswith("loading")
    stages = [
        "loading",
        "composing and checking",
        "1 of 2: sine-omega137 random, 1 seeds:",
        "2 of 2: sine",
        str(tmp_path),
    ]
    places = [shown.index(stage) for stage in stages]
    assert places == sorted(places)


def test_a_study_counts_its_jobs_and_foretells_its_end(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    study = progress.Study(["done", "a", "b"], {"a": 40, "b": 60})
    study.enter("done")
    assert (study.position(), study.left()) == ("1 of 3: ", "")
    study.enter("a")
    now[0] = 110.0
    study.advance(10)
    assert (study.position(), study.left()) == ("2 of 3: ", ", 01:30 left for all")  # 90 epochs, one a second
    study.enter("a")  # its second part
    study.skip(20)
    assert (study.position(), study.left()) == ("2 of 3: ", ", 01:10 left for all")
    study.enter("b")  # though a has failed
    assert (study.position(), study.left()) == ("3 of 3: ", ", 01:00 left for all")
    alone = progress.Study(["a"], {"a": 40})
    alone.enter("a")
    alone.advance(10)
    assert alone.position() == alone.left() == ""


def test_results_that_go_to_another_folder_are_said_to(tmp_path, monkeypatch):
    (composed,) = compose.jobs([])
    job = parse(composed)
    said = []
    monkeypatch.setattr("homotopy.cli.say", said.append)
    from homotopy import cli

    cli._say_where([job], 0)
    monkeypatch.chdir(tmp_path)
    cli._say_where([job], 0)
    assert said == [f"results go to {tmp_path / 'results'}"]


def test_a_figure_is_named_once_and_drawn_once():
    (raw,) = compose.jobs([])
    drawing = summary.drawing(["frequency", "limits"], parse(raw), [], FIGURES)
    assert drawing.split().count("limits") == 1
    assert script.listed("figures", "fig1,fig8,fig1", FIGURES) == ["fig1", "fig8"]
