"""The GPU's ensemble against the reference: its operations on any machine, its recording where there is a GPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from homotopy.solvers.cuda_graph import GraphEnsemble
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import SGD, Adam, Optimizer
from homotopy.solvers.reference import AutogradEnsemble
from homotopy.streams import Purpose
from homotopy.tasks.regression import OrdersAhead, Regression, epoch_order

MODEL = MLP(width=7, depth=3)
RULES = [Adam(), SGD(momentum=0.9), SGD(momentum=0.0)]
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def problem(device: str, samples: int = 40, with_target: bool = True) -> Regression:
    rng = np.random.default_rng(3)
    x, y, other = (torch.from_numpy(rng.normal(size=(3, samples, 1))).to(device) for _ in range(3))
    return Regression(x, y, other if with_target else None, seeds=[0, 1, 2])


def ensembles(device: str, rule: Optimizer) -> tuple[AutogradEnsemble, GraphEnsemble]:
    theta = torch.from_numpy(np.stack([MODEL.initial(np.random.default_rng(s)) for s in range(3)])).to(device)
    return AutogradEnsemble(MODEL, rule, theta, 16), GraphEnsemble(MODEL, rule, theta, 16)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("with_target", [True, False])
def test_it_equals_the_reference_over_epochs_with_a_partial_batch(device, rule, with_target):
    reference, graphed = ensembles(device, rule)
    data = problem(device, with_target=with_target)
    for epoch, lr in ((1, 1e-2), (2, 1e-3)):
        expected, found = reference.epoch(data, epoch, lr), graphed.epoch(data, epoch, lr)
        torch.testing.assert_close(found.objective, expected.objective, rtol=1e-9, atol=1e-12)
        assert (found.target is None) == (expected.target is None)
        if expected.target is not None:
            torch.testing.assert_close(found.target, expected.target, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(graphed.theta, reference.theta, rtol=1e-7, atol=1e-10)
    torch.testing.assert_close(graphed.evaluate(data.x, data.y), reference.evaluate(data.x, data.y))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rule", RULES)
def test_a_reference_s_state_continues_here_and_resets(device, rule):
    reference, graphed = ensembles(device, rule)
    reference.epoch(problem(device), 1, 1e-3)
    graphed.epoch(problem(device), 5, 1e-1)  # somewhere else, with a recording and moments of its own
    graphed.load(reference.state())
    for ensemble in (reference, graphed):
        ensemble.epoch(problem(device), 2, 1e-3)
        ensemble.reset_moments()
        ensemble.epoch(problem(device), 3, 1e-3)
    torch.testing.assert_close(graphed.theta, reference.theta, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("device", DEVICES)
def test_data_of_another_shape_are_recorded_anew(device):
    reference, graphed = ensembles(device, Adam())
    for epoch, samples in ((1, 40), (2, 24), (3, 40)):
        for ensemble in (reference, graphed):
            ensemble.epoch(problem(device, samples), epoch, 1e-3)
    torch.testing.assert_close(graphed.theta, reference.theta, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("device", DEVICES)
def test_a_diverged_seed_leaves_the_others_alone(device):
    _, alone = ensembles(device, Adam())
    _, beside = ensembles(device, Adam())
    broken = problem(device)
    broken.y[1] = torch.nan
    alone.epoch(problem(device), 1, 1e-3)
    loss = beside.epoch(broken, 1, 1e-3)
    assert torch.isnan(loss.objective).tolist() == [False, True, False]
    assert torch.equal(beside.theta[[0, 2]], alone.theta[[0, 2]])


def test_orders_drawn_ahead_are_those_of_their_epoch():
    draw = OrdersAhead(threads=2)
    shuffling, source = Purpose.SHUFFLING, Purpose.SOURCE_SHUFFLING
    for asked in [([0, 5], shuffling, 1, 30), ([0, 5], shuffling, 2, 30), ([0, 5], shuffling, 7, 30),
                  ([0, 5], source, 8, 30), ([0, 5], source, 9, 20), ([5], source, 10, 20)]:  # fmt: skip
        assert torch.equal(draw(*asked), epoch_order(*asked))
