"""Adaptive steps on seeds whose path and corrector are known."""

from dataclasses import replace

import pytest
import torch

from homotopy.algorithm.adaptive import AdaptiveSteps, Control
from homotopy.errors import ConfigError
from homotopy.results import folder
from homotopy.training import runner
from tests.algorithm.test_predictors import Points

# steps may quadruple a loss above 0.01 of the jump's
CONTROL = Control(first=0.1, least=0.01, solved=0.01, growth=4.0, settled=0.3)


def walk(points, k=5, last=1000, epochs=40, control=CONTROL):
    """Return each epoch's lam of every seed, (epochs, S)."""
    path = AdaptiveSteps(control, k, last)
    return torch.stack([e.lams for e in path.follow(points, points, range(1, epochs + 1), lambda epoch: 0.1)])


def test_the_first_step_is_the_first_and_lam_ends_at_exactly_1():
    lams = walk(Points([3.0]))
    assert lams[0] == pytest.approx(0.1)
    assert lams[-1] == 1.0
    assert (lams.diff(dim=0) >= 0).all()


def test_steps_grow_as_far_as_the_loss_allows():
    # H of a step of h from a solution is 9 h^2, and 5 times 0.01 of the jump's 9 allow h = 0.22; steps double from 0.1
    lams = walk(Points([3.0]), control=replace(CONTROL, growth=5.0))
    visited = [float(lam) for lam in dict.fromkeys(lams[:, 0].tolist())]
    assert visited == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9, 1.0])


def test_a_settled_step_ends_early_and_another_after_k_epochs():
    quick, slow = walk(Points([1.0], share=0.9)), walk(Points([1.0], share=0.01), k=7)
    assert (
        int((quick == quick[0]).sum()) == 2
    )  # an epoch's loss is that before it: the second shows the first's success
    assert int((slow == slow[0]).sum()) == 7


def test_a_far_seed_takes_smaller_steps():
    control = Control(first=0.5, least=0.01, solved=0.01, growth=2.0, settled=0.3)
    lams = walk(Points([1.0]), control=control)
    assert lams[0] == pytest.approx(0.125)  # 0.5 and 0.25 would raise the loss above 0.02


def test_no_step_is_below_the_least():
    control = Control(first=0.5, least=0.3, solved=1e-6, growth=2.0, settled=0.3)
    assert walk(Points([1.0]), control=control)[0] == pytest.approx(0.3)


def test_paths_end_after_the_last_epoch_allowed():
    lams = walk(Points([1.0], share=0.001), k=10, last=12, epochs=14)
    assert lams[11] < 1
    assert (lams[12:] == 1).all()


def test_a_seed_s_path_does_not_depend_on_its_neighbours():
    together = walk(Points([3.0, 0.5], share=0.4))
    torch.testing.assert_close(together[:, 1:], walk(Points([0.5], share=0.4)), rtol=0, atol=0)


@pytest.mark.parametrize("done", [0, 1, 2, 5, 9, 14])
def test_continuing_after_any_epoch_gives_the_same_path(done):
    whole, part = Points([3.0, 1.0], share=0.4), Points([3.0, 1.0], share=0.4)
    lams = walk(whole, epochs=20, last=15)
    path, again = AdaptiveSteps(CONTROL, 5, 15), AdaptiveSteps(CONTROL, 5, 15)
    first = [e.lams for e in path.follow(part, part, range(1, done + 1), lambda epoch: 0.1)]
    again.load({name: value.clone() for name, value in path.state().items()})
    rest = [e.lams for e in again.follow(part, part, range(done + 1, 21), lambda epoch: 0.1)]
    assert torch.equal(torch.stack(first + rest), lams)
    assert torch.equal(part.theta, whole.theta)


def test_the_runs_record_every_seed_s_own_lam(tiny):
    runs = folder.RunFolder(runner.run(tiny("method=adaptive", "budget.k=2", "seeds=2"))).runs()
    assert (runs.groupby("seed")["lam"].first() < 1).all()
    assert (runs.groupby("seed")["lam"].last() == 1).all()
    final = runs[runs["phase"] == "final"]
    assert len(final) and (final["train_loss"] == final["target_loss"]).all()


@pytest.mark.parametrize(
    ("overrides", "key"),
    [
        (["task.deformation=gaussian_filter"], "method"),
        (["optimizer.moments=reset"], "method.path"),
        (["method.predictor=secant"], "method.path"),
        (["control.growth=1"], "control.growth"),
    ],
)
def test_what_does_not_go_together_is_said(tiny, overrides, key):
    with pytest.raises(ConfigError) as error:
        tiny("method=adaptive", *(f"+{o}" if "predictor" in o else o for o in overrides))
    assert error.value.key == key
