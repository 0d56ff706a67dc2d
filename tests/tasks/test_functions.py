"""A task of one's own: what its functions may return, and what its settings may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from homotopy import cli
from homotopy.errors import ConfigError
from homotopy.job import Job
from homotopy.tasks.functions import FunctionTask

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Own(FunctionTask):
    """Two functions of two inputs, and a list among the settings."""

    noise: float = 0.0
    samples: int = 10
    train_fraction: float = 0.8
    name: str = "own"
    powers: Sequence[int] = field(default_factory=lambda: [1, 2])
    ours: Function = np.sin
    theirs: Function = np.cos
    inputs: ClassVar[int] = 2

    def source(self, x: np.ndarray) -> np.ndarray:
        return self.ours(x)

    def target(self, x: np.ndarray) -> np.ndarray:
        return self.theirs(x)


def total(x: np.ndarray) -> np.ndarray:
    return x.sum(axis=1)


def load(ours: Function, theirs: Function):
    return Own(ours=ours, theirs=theirs).load([0, 1], torch.device("cpu"), torch.float64)


def test_a_function_with_one_value_per_sample_has_one_output():
    found, column = load(total, total), load(lambda x: total(x)[:, None], lambda x: total(x)[:, None])
    assert found.target().y.shape == (2, 8, 1)
    assert torch.equal(found.target().y, column.target().y) and torch.equal(found.source().y, column.source().y)
    torch.testing.assert_close(found.target().y, found.target().x.sum(dim=2, keepdim=True))


def test_several_outputs_stay_in_their_columns():
    target = load(np.sin, np.cos).target()
    torch.testing.assert_close(target.y, target.x.cos())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(total, np.sin), (total, lambda x: total(x)[:-1]), (lambda x: x.sum(), total), (total, lambda x: x[None])],
)
def test_other_shapes_are_refused_in_one_line(ours, theirs):
    with pytest.raises(ConfigError, match="own"):
        load(ours, theirs)


def test_settings_may_be_lists(tiny):
    config = tiny()
    cli.preflight([Job("train", replace(config, task=Own()), {})] * 2)
