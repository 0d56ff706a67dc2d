"""make: what it refuses, it refuses in one line and before anything is installed or trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import ROOT


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["profile", "results", "venv"])
def test_a_variable_in_lower_case_is_refused(name):
    done = make("--dry-run", "reproduce", f"{name}=smoke")
    assert done.returncode == 2 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and f"{name.upper()}=smoke" in done.stderr


def test_the_variables_in_upper_case_reach_the_script():
    done = make("--dry-run", "reproduce", "PROFILE=smoke", "RESULTS=here")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].endswith("profile=smoke results.root=here")


def an_older_python(folder: Path) -> Path:
    """Return a program that is Python, and says that it is 3.10."""
    older = folder / "python3"
    start = "import sys; sys.version_info = (3, 10, 12, 'final', 0)"
    older.write_text(f'#!/bin/sh\ntest "$1" = -c && exec {sys.executable} -c "{start}; $2"\n')
    older.chmod(0o755)
    return older


@pytest.mark.parametrize("older", [an_older_python, lambda folder: folder / "missing"])
def test_a_python_that_is_too_old_is_named_before_anything_is_installed(older, tmp_path):
    python = older(tmp_path)
    done = make("setup", f"VENV={tmp_path / 'venv'}", f"CHECK_PYTHON={python}")
    said = [line for line in done.stderr.splitlines() if "3.11" in line]
    assert done.returncode == 2 and len(said) == 1
    assert str(python) in said[0] and "CHECK_PYTHON=" in said[0]
    assert not (tmp_path / "venv").exists()
