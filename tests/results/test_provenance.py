"""What is recorded of the code."""

import os
import subprocess

import pytest

from homotopy.results.provenance import is_dirty


@pytest.fixture
def checkout(tmp_path):
    """Return a repository laid out as this one, everything committed."""
    for name in ("homotopy/a.py", "conf/task/b.yaml", "scripts/c.py", "pyproject.toml", "requirements-dev.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "runs.csv.gz").write_text("1")
    me = {f"GIT_{who}_{what}": "me" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for arguments in (["init"], ["add", "."], ["commit", "--message", "all"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, env=os.environ | me, check=True, capture_output=True)
    return tmp_path


@pytest.mark.parametrize("name", ["homotopy/a.py", "conf/task/b.yaml", "scripts/c.py", "requirements-dev.txt"])
def test_changed_code_is_dirty(checkout, name):
    assert not is_dirty(checkout)
    (checkout / name).write_text("2")
    assert is_dirty(checkout)


def test_changed_results_are_not(checkout):
    (checkout / "results" / "runs.csv.gz").write_text("2")
    assert not is_dirty(checkout)
