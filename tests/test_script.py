"""What every script says before it does anything: help, what it lacks, and what it is busy with."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import _start
import plot
import pytest

from homotopy import cli, keys, script
from homotopy.errors import ConfigError, UserError
from tests.machine import ROOT

SCRIPTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "scripts").glob("[!_]*.py"))
SHOWN = ("experiment", "task", "method", "schedule", "optimizer", "model", "profile", "launcher")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_missing_package_is_one_line_that_says_what_to_do(name):
    done = run("-S", name)  # -S: the standard library alone
    assert done.returncode == 2 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and "source .venv/bin/activate" in done.stderr


def test_an_older_python_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(_start, "_VERSION", (99, 0))
    with pytest.raises(SystemExit) as end, _start.imports():
        raise AssertionError("not reached")
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_module_of_our_own_that_is_missing_is_no_missing_package():
    with pytest.raises(ModuleNotFoundError), _start.imports():
        import homotopy.nope  # noqa: F401


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_fits_on_a_screen_and_shows_examples(name):
    done = run(name, "--help")
    assert done.returncode == 0 and not done.stderr
    assert len(done.stdout.splitlines()) < 40 and max(map(len, done.stdout.splitlines())) <= 120
    assert done.stdout.startswith(f"usage: python {name}")
    assert len(examples(done.stdout, name)) >= 2


def examples(page: str, name: str) -> list[list[str]]:
    """Return the arguments of the examples, which stand before three blanks and what they do."""
    return [shlex.split(line.partition("   ")[0]) for line in re.findall(rf"^  python {name}(.*)$", page, re.M)]


def test_the_help_of_train_names_every_choice_and_its_examples_are_right():
    page = run("scripts/train.py", "-h").stdout
    for group in SHOWN:
        assert set(keys.names(group)) <= set(re.findall(r"\w+", page)), group
    shown = examples(page, "scripts/train.py")
    assert len(shown) >= 6
    for line in shown:
        cli.check(line)


def test_a_value_in_the_home_folder_is_found_there(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    found = script.options("about", ["results.root=~/results"], {"results.root": "results", "profile": "quick"})
    assert found == {"results.root": "/home/someone/results", "profile": "quick"}


def test_who_has_no_home_needs_none_where_none_is_named(monkeypatch):
    def home():
        raise RuntimeError("could not determine home directory")

    monkeypatch.setattr(script.Path, "home", home)
    assert script.at_home("results.root=here") == "results.root=here"
    with pytest.raises(RuntimeError):
        script.at_home("results.root=~/here")


def test_ctrl_c_ends_at_once_though_a_thread_is_at_work():
    """As when images train and Ctrl-C is pressed twice."""
    program = (
        "import concurrent.futures, time\n"
        "from homotopy import script\n"
        "def work():\n"
        "    concurrent.futures.ThreadPoolExecutor().submit(time.sleep, 60)\n"
        "    print('said before')\n"
        "    raise KeyboardInterrupt\n"
        "script.guard(work, again='goes on')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 130 and ended.stdout == "said before\n" and "goes on" in ended.stderr


def test_words_without_a_key_are_values():
    defaults = {"profile": "quick", "figures": ""}
    assert script.options("", ["fig1", "profile=paper", "fig2a"], defaults, words="figures") == {
        "profile": "paper",
        "figures": "fig1,fig2a",
    }
    assert script.options("", ["figures=fig1", "fig4"], defaults, words="figures")["figures"] == "fig1,fig4"
    with pytest.raises(UserError, match="--fig1"):
        script.options("", ["--fig1"], defaults, words="figures")


def test_a_name_that_is_not_known_is_refused_among_others():
    assert script.listed("figures", "fig4,,fig1", {"fig1": 1, "fig4": 4}) == ["fig4", "fig1"]
    with pytest.raises(ConfigError, match="figures=fig2: must be one of fig1, fig4"):
        script.listed("figures", "fig1,fig2", ["fig1", "fig4"])


def test_a_figure_that_fails_unforeseen_keeps_no_other_from_being_drawn(monkeypatch, tmp_path, capsys):
    def failing(place):
        raise ZeroDivisionError

    figures = {"drawn": lambda place: [tmp_path / "drawn.png"], "failing": failing}  # the last is started first
    monkeypatch.setattr(plot, "FIGURES", figures)
    with pytest.raises(ZeroDivisionError):
        plot.main([f"results.root={tmp_path}"])
    assert capsys.readouterr().out == f"{tmp_path / 'drawn.png'}\n"
