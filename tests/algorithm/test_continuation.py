"""Algorithm 1 on problems whose path is known, and its limiting cases."""

import numpy as np
import pandas as pd
import pytest
import torch

from homotopy.algorithm.continuation import follow, plan
from homotopy.algorithm.corrector import EpochLoss
from homotopy.algorithm.schedules import linear
from homotopy.results import folder
from homotopy.training import runner


class Quadratic:
    """H(theta, lam) = (theta - 3 lam)^2 for one seed; an epoch is one gradient step."""

    def __init__(self):
        self.theta, self.resets = torch.zeros(1, dtype=torch.float64), []

    def at(self, lam):
        return 3 * lam

    def target(self):
        return 3.0

    def epoch(self, optimum, number, lr):
        self.theta = self.theta - lr * 2 * (self.theta - optimum)
        return EpochLoss((self.theta - optimum) ** 2, None)

    def reset_moments(self):
        self.resets.append(float(self.theta))


def walk(problem, steps, **options):
    return list(follow(problem, problem, steps, lambda epoch: 0.1, **options))


def test_a_quadratic_follows_its_known_path():
    problem, theta = Quadratic(), 0.0
    for epoch in walk(problem, plan(linear(4), k=3, final=2)):
        optimum = 3 * epoch.lam
        theta += 0.2 * (optimum - theta)
        assert float(epoch.loss.objective) == pytest.approx((theta - optimum) ** 2)
    assert float(problem.theta) == pytest.approx(theta)


def test_plan_spends_k_epochs_per_step_and_numbers_them_through():
    steps = plan((0.5, 1.0), k=3, final=2)
    assert [(s.lam, list(s.epochs), s.final) for s in steps] == [
        (0.5, [1, 2, 3], False),
        (1.0, [4, 5, 6], False),
        (1.0, [7, 8], True),
    ]


def test_moments_are_reset_when_lam_changes_and_not_before_the_final_epochs():
    problem = Quadratic()
    walk(problem, plan((0.5, 1.0), k=1, final=1), reset_moments=True)
    assert len(problem.resets) == 1
    keeping = Quadratic()
    walk(keeping, plan((0.5, 1.0), k=1, final=1))
    assert keeping.resets == []


@pytest.mark.parametrize("done", range(9))
def test_continuing_after_any_epoch_gives_the_same_path(done):
    steps = plan(linear(3), k=2, final=2)
    whole, first, second = Quadratic(), Quadratic(), Quadratic()
    epochs = walk(whole, steps, reset_moments=True)
    walk_first = follow(first, first, steps, lambda epoch: 0.1, reset_moments=True)
    for _ in range(done):
        next(walk_first)
    second.theta = first.theta
    rest = walk(second, steps, reset_moments=True, done=done)
    assert [e.number for e in rest] == [e.number for e in epochs[done:]]
    assert second.theta == whole.theta
    assert len(first.resets) + len(second.resets) == len(whole.resets)


def curves(config):
    return folder.RunFolder(runner.run(config)).runs()


def test_gamma_1_is_warm_start_bit_for_bit(tiny):
    homotopy = curves(tiny("schedule.gamma=1", "budget.k=3", "budget.final=2"))
    warmstart = curves(tiny("method=warmstart", "schedule.gamma=1", "budget.k=3", "budget.final=2"))
    pd.testing.assert_frame_equal(homotopy, warmstart, check_exact=True)


def test_warm_start_gets_the_homotopy_s_epochs(tiny):
    a = curves(tiny("method=warmstart", "schedule.gamma=3", "budget.k=2", "budget.final=2"))
    b = curves(tiny("method=warmstart", "schedule.gamma=1", "budget.k=6", "budget.final=2"))
    assert a["epoch"].max() == 8
    pd.testing.assert_frame_equal(a, b, check_exact=True)


def test_a_run_s_moments_are_reset_where_lam_changes_if_it_asks_for_that(tiny):
    path = ["schedule.gamma=2", "budget.k=2", "budget.final=1", "log_every=1"]
    kept, reset = (curves(tiny(*path, f"optimizer.moments={moments}")) for moments in ("keep", "reset"))
    same = kept["train_loss"] == reset["train_loss"]
    assert same[kept["epoch"] <= 2].all() and not same[kept["epoch"] > 2].any()


def test_the_source_task_has_a_step_size_of_its_own(tiny):
    """With one that moves nothing warm start begins at random; the target's has no part in it."""
    path = ["schedule.gamma=1", "budget.k=2", "budget.final=0", "budget.source=3"]
    random = curves(tiny("method=random", *path))
    still = curves(tiny("method=warmstart", "source_lr=1e-30", *path))
    np.testing.assert_allclose(still["train_loss"], random["train_loss"], rtol=1e-6)
    one, other = (tiny("method=warmstart", *path, lr) for lr in ("source_lr=0.002", "optimizer.lr=0.002"))
    default = tiny("method=warmstart", *path)
    assert one.source_identity() != default.source_identity() == other.source_identity()
    assert one.folder != default.folder


def test_the_methods_differ(tiny):
    last = {m: curves(tiny(f"method={m}"))["test_loss"].iloc[-1] for m in ("homotopy", "warmstart", "random")}
    assert len(set(last.values())) == 3
