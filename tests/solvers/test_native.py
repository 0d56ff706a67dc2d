"""C++ that is compiled on first use: kept, known by what it was made from, and done without where it cannot be."""

import ctypes
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from homotopy.solvers import native
from homotopy.solvers.build import build_ensemble
from homotopy.solvers.fused import FusedEnsemble
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import Adam
from homotopy.solvers.reference import AutogradEnsemble
from tests.machine import needs_cpp

pytestmark = needs_cpp


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    native.load.cache_clear()
    yield
    native.load.cache_clear()


@pytest.fixture
def source(tmp_path) -> Path:
    path = tmp_path / "answer.cpp"
    path.write_text('extern "C" int answer() { return ANSWER; }')
    return path


def built(tmp_path) -> list[Path]:
    return sorted((tmp_path / "cache" / "homotopy").iterdir())


def test_it_is_compiled_once_and_again_for_other_options_or_another_source(tmp_path, source, monkeypatch):
    assert native.load(source, "-DANSWER=42").answer() == 42
    (first,) = built(tmp_path)
    written = first.stat().st_mtime_ns
    native.load.cache_clear()
    assert native.load(source, "-DANSWER=42").answer() == 42
    assert [first] == built(tmp_path) and first.stat().st_mtime_ns == written
    assert native.load(source, "-DANSWER=43").answer() == 43
    source.write_text('extern "C" int answer() { return -ANSWER; }')
    native.load.cache_clear()
    assert native.load(source, "-DANSWER=42").answer() == -42
    assert len(built(tmp_path)) == 3


def test_another_processor_is_given_its_own(tmp_path, source, monkeypatch):
    run = native._run
    assert native.load(source, "-DANSWER=1").answer() == 1
    monkeypatch.setattr(native, "_run", lambda command: run(command) + b"#define __OTHER__")
    native.load.cache_clear()
    assert native.load(source, "-DANSWER=1").answer() == 1
    assert len(built(tmp_path)) == 2


def test_what_is_damaged_is_compiled_again(tmp_path, source):
    native.load(source, "-DANSWER=5")
    (path,) = built(tmp_path)
    path.unlink()  # what is loaded keeps its own
    path.write_bytes(b"truncated")
    native.load.cache_clear()
    assert native.load(source, "-DANSWER=5").answer() == 5


def test_a_compiler_may_have_arguments(source, monkeypatch):
    monkeypatch.setenv("CXX", f"env {native.compiler()[0]} -DANSWER=6")
    assert native.load(source).answer() == 6


def test_what_does_not_compile_is_one_line_and_leaves_nothing(tmp_path, source):
    with pytest.raises(native.Unavailable) as told:
        native.load(source)
    assert "ANSWER" in str(told.value) and "\n" not in str(told.value)
    assert built(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path, source, monkeypatch):
    (tmp_path / "cache").write_text("a file")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert native.load(source, "-DANSWER=7").answer() == 7
    assert not list((tmp_path / "temporary").iterdir())


def test_nor_is_a_user_without_a_home(source, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert native.load(source, "-DANSWER=8").answer() == 8


@pytest.mark.parametrize("script", ["not a program", "#!/bin/sh\n"])
def test_a_compiler_that_does_nothing_is_unavailable(tmp_path, source, monkeypatch, script):
    (tmp_path / "compiler").write_text(script)
    (tmp_path / "compiler").chmod(0o755)
    monkeypatch.setenv("CXX", str(tmp_path / "compiler"))
    with pytest.raises(native.Unavailable):
        native.load(source)


@pytest.mark.parametrize("given", ["'", "no-such-compiler -O3"])
def test_a_compiler_that_cannot_be_read_or_found_is_unavailable(source, monkeypatch, given):
    monkeypatch.setenv("CXX", given)
    with pytest.raises(native.Unavailable):
        native.load(source)


def test_a_blank_name_is_none(monkeypatch):
    expected = native.compiler()
    monkeypatch.setenv("CXX", " ")
    assert native.compiler() == expected


def test_without_a_compiler_the_reference_trains_and_it_is_said(monkeypatch, capsys):
    theta = torch.zeros(1, MLP().size)
    assert isinstance(build_ensemble(MLP(), Adam(), theta, 16), FusedEnsemble)
    native.load.cache_clear()
    monkeypatch.setenv("CXX", "no-such-compiler")
    for _ in range(2):
        assert isinstance(build_ensemble(MLP(), Adam(), theta, 16), AutogradEnsemble)
    (line,) = capsys.readouterr().err.splitlines()
    assert "slower" in line and "no-such-compiler" in line


class TanhMLP(MLP):
    """Another network with an MLP's parameters."""

    def forward(self, theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        *hidden, (weight, bias) = self.split(theta)
        for hidden_weight, hidden_bias in hidden:
            x = torch.baddbmm(hidden_bias, x, hidden_weight).tanh()
        return torch.baddbmm(bias, x, weight)


def test_a_network_of_a_user_is_trained_as_it_is_written():
    model = TanhMLP()
    theta = torch.from_numpy(model.initial(np.random.default_rng(0))).float()[None]
    x = torch.linspace(-1, 1, 50).reshape(1, 50, 1)
    relu, tanh = (build_ensemble(network, Adam(), theta, 16) for network in (MLP(), model))
    assert isinstance(tanh, AutogradEnsemble)
    expected = (model.forward(theta, x) - x.sin()).square().mean()
    torch.testing.assert_close(tanh.evaluate(x, x.sin()).float(), expected[None])
    assert not torch.allclose(tanh.evaluate(x, x.sin()), relu.evaluate(x, x.sin()))


def test_what_cannot_be_loaded_is_unavailable(source, monkeypatch):
    def refuse(path):
        raise OSError("wrong ELF class")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with pytest.raises(native.Unavailable, match="wrong ELF class"):
        native.load(source, "-DANSWER=1")
