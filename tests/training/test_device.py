"""The device that a name chooses; without a GPU, PyTorch is made to count one."""

import pytest
import torch

from homotopy import progress
from homotopy.errors import ConfigError
from homotopy.training import device


@pytest.fixture(autouse=True)
def nothing_said():
    progress.say_once.cache_clear()
    yield
    progress.say_once.cache_clear()


@pytest.fixture
def one_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_a_gpu_has_its_index(one_gpu, name):
    assert device.choose_device(name) == torch.device("cuda", 0)


def test_a_gpu_that_is_not_here_is_refused(one_gpu):
    with pytest.raises(ConfigError):
        device.choose_device("cuda:1")


def test_no_gpu_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ConfigError):
        device.choose_device("cuda")


def test_auto_is_the_cpu_and_says_once_how_to_ask_for_a_gpu(one_gpu, capsys):
    for _ in range(2):
        assert device.choose_device("auto") == torch.device("cpu")
    (line,) = capsys.readouterr().err.splitlines()
    assert "runtime.device=cuda" in line


def test_without_a_gpu_nothing_is_said(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    for name in ("auto", "cpu"):
        assert device.choose_device(name) == torch.device("cpu")
    assert capsys.readouterr().err == ""
