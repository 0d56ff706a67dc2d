"""That imports run one way, as pyproject.toml has it, and that the check sees one that does not."""

import os

import pytest
from importlinter.cli import lint_imports

from tests.machine import ROOT

CHECKED = (ROOT / "pyproject.toml").read_text()


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def status(text, tmp_path):
    (tmp_path / "pyproject.toml").write_text(text)
    return lint_imports(os.fspath(tmp_path / "pyproject.toml"), no_cache=True, no_logo=True)


def test_imports_run_one_way():
    assert lint_imports("pyproject.toml", no_cache=True, no_logo=True) == 0


def test_an_import_from_a_lower_layer_is_found(tmp_path, capsys):
    upside_down = CHECKED.replace('"results",', '"cli",').replace('"cli",', '"results",', 1)
    assert status(upside_down, tmp_path) == 1
    assert "homotopy.results" in capsys.readouterr().out


def test_a_module_without_a_layer_is_found(tmp_path, capsys):
    assert status(CHECKED.replace("keys | ", ""), tmp_path) == 1
    assert "keys" in capsys.readouterr().out
