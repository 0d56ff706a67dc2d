"""The predictions are read whole, and judged by what results say."""

import pandas as pd
import pytest

from homotopy import keys
from homotopy.errors import ConfigError
from homotopy.report import predictions, rules, write
from homotopy.report.predictions import CORRECT, NOT_RUN, OPEN, WRONG, JudgedPrediction, Prediction, PredictionRow
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
    return Prediction("name", "frequency", "expected", 0.8, **({"seeds": 10} | how))


def outcome(library, **how):
    return predictions.judge(predict(**how), library, BOOK).outcome


def test_every_prediction_is_of_an_experiment_that_is_there():
    found = predictions.read()
    assert {each.experiment for each in found} == {"frequency", "limits", "today", "schedules", "why"}
    assert {each.experiment for each in found} <= set(keys.names("experiment"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {id: a, experiment: why, expect: b, probability: 0.5}", "judged by"),
        ("- {id: a, experiment: why, expect: b, probability: 0.5, share: {x: 1}, level: {x: 1}}", "judged by"),
        ("- {id: a, experiment: why, expect: b, probability: 1, share: {x: 1}}", "probability"),
    ],
)
def test_a_prediction_is_judged_in_one_way_and_never_sure(tmp_path, text, said):
    (tmp_path / "p.yaml").write_text(f"seeds: 10\npredictions:\n  {text}\n")
    with pytest.raises(ConfigError, match=said):
        predictions.read(tmp_path / "p.yaml")


def test_every_prediction_asks_for_the_file_s_seeds(tmp_path):
    assert {each.seeds for each in predictions.read()} == {10}
    (tmp_path / "p.yaml").write_text("predictions: []")
    with pytest.raises(ConfigError, match="seeds"):
        predictions.read(tmp_path / "p.yaml")


def test_whatever_its_seeds_show_a_prediction_is_open_until_all_are_there(library):
    solves = {"methods": ["frequency"], "each": {"task.omega": [74]}, "at_least": 0.5}
    lower = {"each": {"task.omega": [137]}, "predicate": "below", "margin": 1.25, "outcome": "no difference"}
    for how in (
        {"share": solves},
        {"level": solves},
        {"compare": lower | {"ours": "frequency", "against": ["homotopy"]}},
    ):
        assert outcome(library, **how) in (CORRECT, WRONG)
        assert outcome(library, **how, seeds=11) == OPEN


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


def probed(folder, seeds):
    """Results of experiment=why: mu is seed + epoch at the ends of two steps and of the run, random's twice that."""
    place = Place(folder, "paper")
    epochs = ((10, "step"), (20, "step"), (30, "final"))
    for (method, number), factor in zip(seeds.items(), (1, 2), strict=False):
        rows = [(seed, epoch, phase, factor * (seed + epoch)) for seed in range(number) for epoch, phase in epochs]
        path = why.file(place.folder, method, "stations")
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows, columns=["seed", "epoch", "phase", "mu"]).to_csv(path, index=False)
    return Library(place)


MU = {"quantity": "mu", "methods": ["homotopy"]}


@pytest.mark.parametrize(
    ("how", "value"),
    [({"epoch": 10}, 14), ({"epoch": "last"}, 34), ({"epoch": "steps"}, 19), ({"epoch": 10, "of": "random"}, 0.5)],
)
def test_a_probe_is_read_from_the_tables_of_why(tmp_path, how, value):
    library = probed(tmp_path, {"homotopy": 9, "random": 9})
    assert outcome(library, probe=MU | how | {"at_least": value, "at_most": value}, seeds=9) == CORRECT
    assert outcome(library, probe=MU | how | {"at_least": value + 0.1}, seeds=9) == WRONG


def test_a_probe_of_an_epoch_without_a_look_was_not_run(tmp_path):
    assert outcome(probed(tmp_path, {"homotopy": 10}), probe=MU | {"epoch": 40, "at_least": 0}) == NOT_RUN
    assert outcome(probed(tmp_path, {"homotopy": 10}), probe=MU | {"epoch": 10, "of": "random"}) == NOT_RUN


@pytest.mark.parametrize("how", [{"epoch": "last"}, {"epoch": "steps"}])
def test_a_probe_is_open_while_a_seed_is_missing(tmp_path, how):
    few = probed(tmp_path, {"homotopy": 9})
    assert outcome(few, probe=MU | how | {"at_least": 0}) == OPEN  # with two steps a seed there are 18 values
    assert outcome(few, probe=MU | how | {"at_most": 0}) == OPEN
    library = probed(tmp_path, {"homotopy": 10, "random": 9})
    assert outcome(library, probe=MU | how | {"of": "random"}) == OPEN
    assert outcome(library, probe=MU | how | {"at_least": 0}) == CORRECT


def judged(outcome, seeds):
    rows = [PredictionRow("", "", outcome, n) for n in seeds]
    return JudgedPrediction(predict(share={"x": 1}), rows, outcome)


def test_the_brier_score_is_the_mean_squared_error_of_how_sure_we_were():
    found = [judged(CORRECT, [10]), judged(WRONG, [10]), judged(OPEN, [10, 10])]
    assert predictions.brier(found) == pytest.approx((0.2**2 + 0.8**2 + 0.8**2) / 3)
    assert predictions.brier([]) is None


def test_the_score_is_told_of_what_is_decided_and_of_all_that_was_run(tmp_path):
    found = [judged(CORRECT, [10]), judged(CORRECT, [10]), judged(WRONG, [10, 0]), judged(OPEN, [10, 10])]
    unfinished = [judged(OPEN, [10, 9]), judged(NOT_RUN, [10, 0])]
    said = write.score_text([*found, *unfinished], Place(tmp_path, "paper"))
    decided, run = (0.2**2 * 2 + 0.8**2) / 3, (0.2**2 * 2 + 0.8**2 * 2) / 4
    assert f"{decided:.2f} over the 3 lines" in said and f"{run:.2f} over all 4" in said
    assert write.score_text(unfinished, Place(tmp_path, "paper")) == ""
