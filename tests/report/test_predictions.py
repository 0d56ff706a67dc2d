"""The predictions are read whole, and judged by what results say."""

import pandas as pd
import pytest

from homotopy import keys
from homotopy.errors import ConfigError
from homotopy.report import predictions, rules
from homotopy.report.predictions import CORRECT, NOT_RUN, OPEN, WRONG, JudgedPrediction, Prediction
from homotopy.results.library import Library, Place
from homotopy.training import why
from tests.made import save_experiment

BOOK = rules.read()


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Results in which the homotopies end at 0.005, and the baselines at 0.1 but for three seeds of ten."""
    place = Place(tmp_path_factory.mktemp("results"), "paper")

    def final(config, seed):
        solves = config.method.name in ("homotopy", "frequency") or seed < 3
        return (0.005 if solves else 0.1) * (1 + seed / 100)

    save_experiment("frequency", place, final)
    return Library(place)


def predict(**how):
    return Prediction("name", "frequency", "expected", 0.8, **how)


def outcome(library, **how):
    return predictions.judge(predict(**how), library, BOOK).outcome


def test_every_prediction_is_of_an_experiment_that_is_there():
    found = predictions.read()
    assert {each.experiment for each in found} == {"frequency", "limits", "today", "schedules", "why"}
    assert {each.experiment for each in found} <= set(keys.names("experiment"))


@pytest.mark.parametrize(
    "text",
    [
        "- {id: a, experiment: why, expect: b, probability: 0.5}",
        "- {id: a, experiment: why, expect: b, probability: 0.5, share: {x: 1}, level: {x: 1}}",
        "- {id: a, experiment: why, expect: b, probability: 1, share: {x: 1}}",
    ],
)
def test_a_prediction_is_judged_in_one_way_and_never_sure(tmp_path, text):
    (tmp_path / "p.yaml").write_text(f"predictions:\n  {text}\n")
    with pytest.raises(ConfigError):
        predictions.read(tmp_path / "p.yaml")


def test_a_share_is_that_of_seeds_which_solve_the_task(library):
    where = {"each": {"task.omega": [74, 137]}}
    assert outcome(library, share={"methods": ["frequency"], **where, "at_least": 1}) == CORRECT
    assert outcome(library, share={"methods": ["random"], **where, "at_most": 0.3}) == CORRECT
    assert outcome(library, share={"methods": ["random"], **where, "at_most": 0.29}) == WRONG
    assert outcome(library, share={"methods": ["frequency", "random"], **where, "at_least": 0.5}) == WRONG  # all rows
    assert outcome(library, share={"methods": ["random"], "each": {"task.omega": [200]}, "at_most": 1}) == NOT_RUN


def test_a_level_is_the_median_loss(library):
    level = {"methods": ["random"], "each": {"task.omega": [137]}}
    assert outcome(library, level=level | {"at_least": 0.09, "at_most": 0.11}) == CORRECT
    assert outcome(library, level=level | {"at_most": 0.09}) == WRONG


def test_a_comparison_has_the_outcome_that_the_rules_give_it(library):
    compare = {"each": {"task.omega": [137]}, "predicate": "below", "margin": 1.25}
    alike = compare | {"ours": "frequency", "against": ["homotopy"]}
    assert outcome(library, compare=alike | {"outcome": "no difference"}) == CORRECT
    assert outcome(library, compare=alike | {"outcome": "holds"}) == WRONG
    assert outcome(library, compare=alike | {"outcome": "open"}) == WRONG


def test_a_probe_is_read_from_the_tables_of_why(tmp_path):
    place = Place(tmp_path, "paper")
    rows = [(seed, epoch, phase, seed + epoch) for seed in range(3) for epoch, phase in ((10, "step"), (20, "final"))]
    frame = pd.DataFrame(rows, columns=["seed", "epoch", "phase", "mu"])
    for method, factor in (("homotopy", 1), ("random", 2)):
        path = why.file(place.folder, method, "stations")
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.assign(mu=factor * frame["mu"]).to_csv(path)
    probe = {"quantity": "mu", "methods": ["homotopy"]}
    for more, value in (({"epoch": 10}, 11), ({"epoch": "last"}, 21), ({"epoch": "steps"}, 11)):
        limits = {"at_least": value, "at_most": value}
        assert outcome(Library(place), probe=probe | more | limits) == CORRECT
    assert (
        outcome(Library(place), probe=probe | {"epoch": 10, "of": "random", "at_least": 0.5, "at_most": 0.5}) == CORRECT
    )
    assert outcome(Library(place), probe=probe | {"epoch": 30, "at_least": 0}) == NOT_RUN


def test_the_brier_score_is_the_mean_squared_error_of_how_sure_we_were():
    judged = [JudgedPrediction(predict(share={"x": 1}), [], outcome) for outcome in (CORRECT, WRONG, OPEN, NOT_RUN)]
    assert predictions.brier(judged) == pytest.approx((0.2**2 + 0.8**2) / 2)
    assert predictions.brier(judged[2:]) is None
