"""What is recorded of seeds that diverge and of those that do not."""

import math

import torch

from homotopy.algorithm.continuation import plan
from homotopy.results.folder import RunFolder
from homotopy.training import runner
from homotopy.training.history import History


def test_a_seed_that_diverged_has_the_worst_scores_from_there_on_and_its_own_lam():
    history = History([5, 7], plan((0.5, 1.0), k=1, final=0), log_every=1)
    for number, loss in ((1, [2.0, 3.0]), (2, [1.0, math.nan])):
        history.watch(number, torch.tensor(loss))
        found = {"train_loss": torch.tensor(loss), "accuracy": torch.tensor([0.5, 0.5])}
        history.add(found | {"lam": torch.tensor([0.25, 0.75])})
    assert history.diverged == {"7": 2}
    rows = history.frame().set_index(["seed", "epoch"])
    assert rows["train_loss"].tolist() == [2, 1, 3, math.inf]
    assert rows["accuracy"].tolist() == [0.5, 0.5, 0.5, 0]
    assert rows["lam"].tolist() == [0.25, 0.25, 0.75, 0.75]


def test_a_history_goes_on_where_it_stopped():
    def score(history, number):
        history.watch(number, torch.tensor([1.0, math.inf]))
        history.add({"train_loss": torch.tensor([1.0 / number, 2.0])})

    steps = plan((1.0,), k=3, final=0)
    whole, before, after = (History([0, 1], steps, log_every=1) for _ in range(3))
    for number in (1, 2, 3):
        score(whole, number)
    score(before, 1)
    after.load(before.state())
    for number in (2, 3):
        score(after, number)
    assert after.frame().equals(whole.frame()) and after.diverged == whole.diverged == {"1": 1}


def test_lam_of_a_diverged_run_with_adaptive_steps_stays_between_0_and_1(tiny):
    config = tiny("method=adaptive", "seeds=2", "optimizer=sgd", "optimizer.lr=1e4")
    folder = RunFolder(runner.run(config))
    assert set(folder.metadata()["diverged_at"]) == {"0", "1"}
    assert folder.runs()["lam"].between(0, 1).all()
