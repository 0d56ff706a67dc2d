"""Predictors on a path that is a straight line, where the secant is exact."""

import pytest
import torch

from homotopy.algorithm.continuation import follow, plan
from homotopy.algorithm.corrector import EpochLoss
from homotopy.algorithm.predictors import Constant, Secant
from homotopy.algorithm.schedules import linear
from homotopy.results import folder
from homotopy.tasks.regression import Regression
from homotopy.training import runner


class Points:
    """S seeds with a constant as network: H(theta, lam) = (theta - speed lam)^2; an epoch takes a share of it away."""

    def __init__(self, speeds, share=1.0):
        self.speeds, self.share = torch.tensor(speeds, dtype=torch.float64), share
        self.theta = torch.zeros(len(speeds), 1, dtype=torch.float64)
        self.started_with = []

    def at(self, lam):
        y = self.speeds.reshape(-1, 1, 1) * lam
        return Regression(torch.zeros_like(y), y, None, range(len(y)))

    def target(self):
        return self.at(1.0)

    def evaluate(self, x, y):
        return (self.theta - y[:, 0]).square()[:, 0]

    def epoch(self, problem, number, lr):
        loss = self.evaluate(problem.x, problem.y)
        self.started_with.append(loss)
        self.theta = self.theta + self.share * (problem.y[:, 0] - self.theta)
        return EpochLoss(loss, loss)

    def state(self):
        return {"theta": self.theta}

    def load(self, state):
        self.theta = state["theta"]


def walk(points, predictor, steps, **options):
    return list(follow(points, points, steps, lambda epoch: 0.1, predictor=predictor, **options))


def test_the_secant_is_exact_on_a_straight_path_from_its_third_solution_on():
    points = Points([3.0])
    walk(points, Secant(), plan((0.1, 0.3, 0.7, 1.0), k=1, final=1))
    assert [float(loss) for loss in points.started_with] == pytest.approx([0.09, 0, 0, 0, 0])


def test_the_constant_predictor_starts_where_the_step_before_ended():
    points = Points([3.0])
    walk(points, Constant(), plan((0.1, 0.3), k=1, final=0))
    assert [float(loss) for loss in points.started_with] == pytest.approx([0.09, 0.36])


def test_a_seed_goes_no_further_than_its_loss_falls():
    points = Points([1.0, 1.0, 1.0])
    secant = Secant()
    secant.predict(points, points.at(0.1), 0.0, 0.1)
    # on its path; walked the wrong way, so that the line leads further away; overshot four times
    points.theta = torch.tensor([[0.1], [-0.5], [0.16]], dtype=torch.float64)
    secant.predict(points, points.at(0.2), 0.1, 0.2)
    assert points.theta.flatten().tolist() == pytest.approx([0.2, -0.5, 0.2])


def test_a_place_without_a_finite_loss_is_none_to_go_to():
    class Cliff(Points):
        """Beyond 0.15 there is no loss."""

        def evaluate(self, x, y):
            loss = super().evaluate(x, y)
            return torch.where(self.theta[:, 0].abs() > 0.15, torch.nan, loss)

    points, secant = Cliff([1.0]), Secant()
    secant.predict(points, points.at(0.1), 0.0, 0.1)
    points.theta = torch.tensor([[0.1]], dtype=torch.float64)
    secant.predict(points, points.at(0.2), 0.1, 0.2)
    assert 0.1 <= float(points.theta) <= 0.15


@pytest.mark.parametrize("done", range(7))
def test_continuing_after_any_epoch_gives_the_same_path(done):
    steps = plan(linear(3), k=2, final=1)
    whole, first, second = (Points([3.0, 1.0], share=0.6) for _ in range(3))
    walk(whole, Secant(), steps)
    before, after = Secant(), Secant()
    epochs = follow(first, first, steps, lambda epoch: 0.1, predictor=before)
    for _ in range(done):
        next(epochs)
    second.load(first.state())
    after.load({name: value.clone() for name, value in before.state().items()})
    walk(second, after, steps, done=done)
    assert torch.equal(second.theta, whole.theta)


def test_the_secant_trains_and_differs_from_the_second_step_on(tiny):
    options = ("schedule.gamma=4", "budget.k=2")
    secant, constant = (
        folder.RunFolder(runner.run(tiny(f"method={name}", *options))).runs() for name in ("secant", "homotopy")
    )
    first = secant["epoch"] <= 2
    assert secant[first].equals(constant[first])
    assert not secant.equals(constant)
