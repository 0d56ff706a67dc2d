"""What the theory takes for granted of the code: schedules increase and end at 1, deformations are affine in lam."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from homotopy.algorithm import schedules
from homotopy.algorithm.deformations import linear
from homotopy.errors import ConfigError
from homotopy.tasks.sine import Sine

GAMMA = st.integers(1, 200)
DESCRIPTIONS = st.one_of(
    st.builds(lambda g: {"name": "linear", "gamma": g}, GAMMA),
    st.builds(lambda g, r: {"name": "geometric", "gamma": g, "ratio": r}, GAMMA, st.floats(0.1, 10)),
    st.builds(lambda g, p: {"name": "sublinear", "gamma": g, "power": p}, GAMMA, st.floats(0.01, 10)),
)


@given(DESCRIPTIONS)
def test_schedules_increase_within_0_and_1_and_end_exactly_at_1(description):
    try:
        lams = schedules.build(description).lams
    except ConfigError:  # increments below the floating-point spacing
        assert description["name"] != "linear" and description["gamma"] > 8
        return
    assert len(lams) == description["gamma"]
    assert lams[0] > 0 and lams[-1] == 1
    assert np.all(np.diff(lams) > 0)


def test_schedules_are_what_they_say():
    assert schedules.linear(4) == (0.25, 0.5, 0.75, 1.0)
    assert schedules.sublinear(4, 0.5) == pytest.approx((0.5, 0.5**0.5, 0.75**0.5, 1.0))
    steps = np.diff((0.0, *schedules.geometric(5, 0.5)))
    assert (steps[1:] / steps[:-1]).tolist() == pytest.approx([0.5] * 4)


def test_the_papers_schedule_ends_exactly_at_1_for_every_gamma():
    for gamma in range(1, 1001):
        lams = schedules.linear(gamma)
        assert len(lams) == gamma and lams[-1] == 1


@given(st.lists(st.floats(-0.5, 1.5), min_size=1, max_size=6))
def test_an_explicit_schedule_is_taken_only_if_it_increases_to_1(values):
    good = values[-1] == 1 and np.all(np.diff([0.0, *values]) > 0)
    if good:
        assert schedules.build({"name": "explicit", "values": values}).lams == tuple(values)
    else:
        with pytest.raises(ConfigError):
            schedules.build({"name": "explicit", "values": values})


@given(st.floats(0, 1), st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=2))
def test_mixing_is_exact_at_both_ends_and_affine_between(lam, ends):
    source, target = (torch.tensor([value], dtype=torch.float64) for value in ends)
    assert linear(source, target, 0.0) == source
    assert linear(source, target, 1.0) == target
    assert linear(source, target, lam).item() == pytest.approx(ends[0] + lam * (ends[1] - ends[0]), abs=1e-9)


TASK = Sine(
    omega=20.0, source_omega=1.0, noise=0.01, samples=60, train_fraction=0.8, deformation="linear_targets",
    filter_samples=30, filter_width=0.05,
)  # fmt: skip
DEFORMATIONS = {
    name: dataclasses.replace(TASK, deformation=name).load([0, 3], torch.device("cpu"), torch.float64)
    for name in ("linear_targets", "gaussian_filter")
}


@pytest.mark.parametrize("name", DEFORMATIONS)
@settings(max_examples=50)
@given(lam=st.floats(0, 1))
def test_a_deformed_task_is_affine_in_lam_from_the_source_at_the_same_inputs(name, lam):
    deformation = DEFORMATIONS[name]
    start, here, end = (deformation.at(at) for at in (0.0, lam, 1.0))
    assert torch.equal(start.x, here.x)
    assert torch.equal(start.y, deformation.source().y)
    assert torch.allclose(here.y, start.y + lam * (end.y - start.y), atol=1e-12)
