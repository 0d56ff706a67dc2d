"""What is recorded of the code and of the machine."""

import os
import subprocess
from pathlib import Path

import pytest

from homotopy import processor
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


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="this system names its processor elsewhere")
@pytest.mark.parametrize(
    ("flags", "name"), [("fma avx2 avx512f", "Z 80, AVX-512"), ("fma avx avx2", "Z 80, AVX2"), ("sse", "Z 80")]
)
def test_a_processor_s_name_says_how_wide_its_vectors_are(flags, name, monkeypatch):
    lines = f"processor\t: 0\nmodel name\t: Z 80\nflags\t\t: {flags}\n"
    monkeypatch.setattr(processor.Path, "read_text", lambda path: lines)
    assert processor.name() == name
