"""Rows of a claim from made-up curves whose quantities are known."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from homotopy.errors import ResultError
from homotopy.report import evidence, rules
from homotopy.report.evidence import Samples
from homotopy.report.rules import Claim
from homotopy.report.verdicts import Judged, interval, summary
from homotopy.results import statistics
from homotopy.results.intervals import Interval
from homotopy.results.library import Place, Result

EPOCHS = (1, 10, 20)


@pytest.fixture
def made(tiny):
    """Return a function that makes a method's result from its losses at epochs 1, 10 and 20, one row a seed."""

    def make(method, losses, omega=137, seeds=None):
        config = tiny(f"method={method}", f"task.omega={omega}", f"seeds={max(len(losses), 1)}", "budget.source=50")
        seeds = range(len(losses)) if seeds is None else seeds
        rows = [(s, e, x) for s, curve in zip(seeds, losses, strict=True) for e, x in zip(EPOCHS, curve, strict=True)]
        curves = pd.DataFrame(rows, columns=["seed", "epoch", "target_loss"]).assign(lam=1.0, phase="final")
        return Result(config, curves)

    return make


def claim(**fields):
    rest = {"id": "a", "place": "", "claim": "", "commands": [], "combine": "all", "ours": "homotopy"}
    rest |= {"kind": "experiment", "quantity": "loss", "predicate": "below", "margin": 1.25, "settled": 1}
    return Claim(**rest | fields)


def rows(of, results, **changes):
    book = dataclasses.replace(rules.read(), **{"known": 0} | changes)
    return evidence.rows(of, results, Place(Path("nowhere"), "paper"), book)


def constant(*losses):
    return [(loss, loss, loss) for loss in losses]


def test_loss_is_the_ratio_of_medians(made):
    ours, theirs = range(1, 10), range(10, 100, 10)
    (row,) = rows(claim(against=["random"]), [made("homotopy", constant(*ours)), made("random", constant(*theirs))])
    assert (row.label, row.ours, row.theirs) == ("against random", pytest.approx(5), pytest.approx(50))
    assert row.ratio == (10, 10, 10, 9)  # paired by seed, every resample's ratio is 10
    assert row.paired == pytest.approx((10, 10, 10, 9))
    assert row.better == pytest.approx((1, 0.025 ** (1 / 9), 1, 9))
    assert (row.outcome, row.n, row.asked) == (rules.HOLDS, 9, 9)


def test_the_settled_loss_decides_and_the_literal_one_stands_beside(made):
    results = [made("homotopy", [(4, 1, 90)] * 9), made("random", [(1, 8, 30)] * 9)]
    (row,) = rows(claim(against=["random"], settled=None), results, settled=15)  # of epochs 10 and 20
    assert (row.ours, row.theirs) == (pytest.approx(45.5), pytest.approx(19))
    assert (row.outcome, row.literal.outcome) == (rules.REVERSED, rules.REVERSED)
    assert row.literal.ratio.value == pytest.approx(1 / 3) and row.literal.literal is None
    results = [made("homotopy", [(4, 1, 90)] * 9), made("random", [(1, 800, 30)] * 9)]
    (row,) = rows(claim(against=["random"], settled=None), results, settled=15)
    assert (row.outcome, row.literal.outcome) == (rules.HOLDS, rules.REVERSED)
    assert rows(claim(against=["random"]), results)[0].literal is None  # one epoch is all that counts


def test_the_row_without_the_known_seeds_stands_beside(made):
    ours, theirs = [1.0] * 5 + [4.0] * 9, [2.0] * 14
    (row,) = rows(
        claim(against=["random"]), [made("homotopy", constant(*ours)), made("random", constant(*theirs))], known=5
    )
    assert (row.n, row.unseen.n) == (14, 9)
    assert row.unseen.ratio == pytest.approx((0.5, 0.5, 0.5, 9)) and row.unseen.outcome == rules.REVERSED
    few = [made("homotopy", constant(1, 1)), made("random", constant(2, 2))]
    assert rows(claim(against=["random"]), few, known=5)[0].unseen is None  # all of them are known


def test_too_few_seeds_leave_a_row_open(made):
    results = [made("homotopy", constant(*[1] * 8)), made("random", constant(*[9] * 8))]
    (row,) = rows(claim(against=["random"]), results)
    assert (row.outcome, row.n, row.ratio.low) == (rules.OPEN, 8, 9)


def test_seeds_that_only_one_method_has_finished_are_left_out(made):
    results = [made("homotopy", constant(1, 1, 9), seeds=[3, 4, 5]), made("random", constant(9, 2, 2), seeds=[2, 3, 4])]
    (row,) = rows(claim(against=["random"]), results)
    assert (row.n, row.asked, row.ratio.value) == (2, 3, 2)


def test_best_compares_with_the_better_opponent_and_each_with_every_value(made):
    results = [
        made(method, constant(loss), omega)
        for omega, losses in {74: (1, 8, 4), 137: (1, 2, 6)}.items()
        for method, loss in zip(("homotopy", "random", "warmstart"), losses, strict=True)
    ]
    each = {"task.omega": [74, 137]}
    found = rows(claim(against=["random", "warmstart"], best=True, each=each), results)
    assert [(row.label, row.ratio.value) for row in found] == [
        ("omega 74, against random and warmstart", 4),
        ("omega 137, against random and warmstart", 2),
    ]
    assert len(rows(claim(against=["random", "warmstart"], each=each), results)) == 4


def test_pooled_values_are_one_row_of_the_seeds_that_all_have(made):
    results = [
        made(method, constant(*losses), omega)
        for omega, by_method in {74: ([1, 1], [2, 2]), 137: ([1, 1, 7], [8, 8, 1])}.items()
        for method, losses in zip(("homotopy", "random"), by_method, strict=True)
    ]
    (row,) = rows(claim(against=["random"], best=True, pooled={"task.omega": [74, 137]}), results)
    assert row.label == "omega 74, 137 together, against random"
    assert (row.n, row.asked, row.ratio.value, row.paired.value) == (2, 2, pytest.approx(4), pytest.approx(4))
    assert (row.ours, row.theirs) == (pytest.approx(1), pytest.approx(4))
    (row,) = rows(claim(against=["random"], best=True, pooled={"task.omega": [11, 74]}), results)
    assert (row.outcome, row.n, row.asked) == (rules.OPEN, 0, 0)


def test_of_two_settings_each_combination_that_is_there_has_a_row(made):
    results = [made(method, constant(1), omega) for omega in (74, 137) for method in ("homotopy", "random")]
    annealed = [
        dataclasses.replace(
            r, config=dataclasses.replace(r.config, optimizer=dataclasses.replace(r.config.optimizer, decay="cosine"))
        )
        for r in results[2:]
    ]
    both = claim(against=["random"], each={"task.omega": "all", "optimizer.decay": "all"})
    assert [row.label.rpartition(",")[0] for row in rows(both, results + annealed)] == [
        "omega 74, constant step size", "omega 137, constant step size", "omega 137, cosine annealing",
    ]  # fmt: skip


def test_speed_is_the_ratio_of_epochs_to_a_loss_that_both_reach(made):
    fast, slow = made("homotopy", [(4, 0.9, 0.8)]), made("random", [(4, 2, 1)])
    (row,) = rows(claim(against=["random"], quantity="speed"), [fast, slow])
    assert (row.ours, row.theirs, row.ratio.value, row.note) == (
        pytest.approx(10),
        pytest.approx(20),
        2,
        "epochs to 1.25",
    )


def test_speed_counts_the_source_solution_if_asked_to(made):
    fast, slow = made("homotopy", [(4, 0.9, 0.8)]), made("random", [(4, 2, 1)])
    (row,) = rows(claim(against=["random"], quantity="speed", count_source=True), [fast, slow])
    assert (row.ours, row.theirs) == (pytest.approx(60), pytest.approx(20))


def test_who_has_learned_nothing_has_not_converged_fast(made):
    fast, stuck = made("homotopy", [(0.6, 0.5, 0.01)]), made("random", [(0.5, 0.5, 0.49)])
    (row,) = rows(claim(against=["random"], quantity="speed"), [fast, stuck])
    assert (row.ours, row.theirs, row.ratio.value) == (pytest.approx(20), np.inf, np.inf)


def test_an_epoch_is_that_of_a_settled_loss(made):
    fast, slow = made("homotopy", [(9, 0.9, 0.8)]), made("random", [(9, 2, 1)])
    (row,) = rows(claim(against=["random"], quantity="speed", settled=None), [fast, slow], settled=15)
    # settled: 9, 4.95, 0.85 and 9, 5.5, 1.5, so that the threshold is 1.875
    assert (row.ours, row.theirs, row.note) == (pytest.approx(20), pytest.approx(20), "epochs to 1.88")
    assert (row.literal.ours, row.literal.note) == (pytest.approx(10), "epochs to 1.25")


def samples(ours, theirs):
    return Samples(np.array([ours], float), np.array([[theirs]], float))


def test_diverged_seeds_are_worst():
    row = evidence.sampled_row(claim(), "", samples([1, np.inf, np.inf], [1, 1, 1]), 0.95, 3, 3)
    assert (row.ours, row.ratio.value) == (np.inf, 0)


@pytest.mark.parametrize("predicate", ["below", "alike"])
def test_where_both_fail_there_is_nothing_to_compare(predicate):
    row = evidence.sampled_row(claim(predicate=predicate), "", samples([np.inf] * 9, [np.inf] * 9), 0.95, 3, 9)
    assert row.outcome == rules.OPEN and (interval(row.ratio), interval(row.paired)) == ("", "")
    judged = Judged(claim(predicate=predicate), [row], rules.OPEN, "paper")
    assert "1" not in summary(judged).partition(",")[0]


def test_a_seed_is_better_where_it_beats_every_opponent():
    found = Samples(np.full((1, 4), 2.0), np.array([[[3.0, 3.0, 1.0, 2.0]], [[3.0, 1.0, 3.0, 3.0]]]))
    assert evidence.sampled_row(claim(), "", found, 0.95, 9, 4).better.value == 0.25


def test_a_run_solves_its_task_below_the_loss_fixed_beforehand(made):
    results = [
        made("homotopy", [(1, 0.001, 0.002)] * 3 + [(1, 0.001, 1)], seeds=[1, 2, 3, 4]),
        made("random", [(1, 1, 0.01)] * 3, seeds=[2, 3, 4]),
    ]
    book = dataclasses.replace(rules.read(), settled=5)
    found = evidence.solved(results, book)
    assert {name: (share.value, share.n) for name, share in found.items()} == {"homotopy": (2 / 3, 3), "random": (0, 3)}
    later = evidence.solved(results, book, first=3)
    assert {name: (share.value, share.n) for name, share in later.items()} == {"homotopy": (1 / 2, 2), "random": (0, 2)}
    assert evidence.solved([], book) == evidence.solved(results, book, first=5) == {}


def test_equality_is_exact(made):
    same = claim(against=["warmstart"], quantity="equality", predicate="zero")
    a, b = made("homotopy", constant(1, np.inf)), made("warmstart", constant(1, np.inf))
    assert rows(same, [a, b])[0].outcome == rules.HOLDS
    assert rows(same, [a, made("warmstart", constant(1, 2))])[0].outcome == rules.DIFFERS
    b.curves["epoch"] += 1
    assert rows(same, [a, b])[0].outcome == rules.DIFFERS


def test_without_results_a_row_is_open(made):
    (row,) = rows(claim(against=["random"]), [made("homotopy", constant(1)), made("random", [])])
    assert (row.outcome, row.ratio, row.n, row.asked) == (rules.OPEN, None, 0, 1)
    (row,) = rows(claim(quantity="bound", predicate="within", bounds=["Thm 3.9"]), [])
    assert (row.outcome, row.n) == (rules.OPEN, 0)


def test_a_metric_that_was_not_recorded_is_named(made):
    results = [made("homotopy", constant(1)), made("random", constant(2))]
    with pytest.raises(ResultError, match="test_loss was not recorded"):
        rows(claim(against=["random"], metric="test_loss"), results)


def test_bounds_are_read_from_the_theory_s_table(tmp_path):
    folder = tmp_path / "paper" / "theory"
    folder.mkdir(parents=True)
    columns = ["bound", "case", "value", "measured", "low", "high", "holds", "settings", "violated"]
    table = [
        ("Thm 3.9", "a", 2.0, 1.0, 0.8, 1.2, "yes", 3, 0),
        ("Thm 3.9", "b", 4.0, 1.0, 0.8, 1.2, "yes", 2, 0),
        ("Prop. 3.7, C a", "a", 1.0, 0.9, 0.8, 1.1, "undecided", 4, 0),
        ("Prop. 3.7, C b", "a", 1.0, 0.95, 0.9, 0.99, "yes", 4, 0),
        ("G.1, as printed", "ball", 1.0, 0.9, 0.8, 0.95, "yes", 4, 1),
        ("G.1, 1/N in Eq. 32", "ball", 1.0, 0.9, 0.8, 0.95, "yes", 4, 0),
    ]
    pd.DataFrame(table, columns=columns).to_csv(folder / "bounds.csv", index=False)
    of = claim(quantity="bound", predicate="within", bounds=["Thm 3.9", "Prop. 3.7, C", "G.1", "Prop. G.1"])
    found = evidence.bound_rows(of, Place(tmp_path, "paper"))
    assert [row.outcome for row in found] == [rules.HOLDS, rules.OPEN, rules.VIOLATED, rules.OPEN]
    assert found[0].ratio == (0.5, 0.4, 0.6, 5)  # that of the setting nearest to its bound, and the number of all
    assert found[2].note == "1 of 8 measurements violate it: G.1, as printed, ball"
    (mended,) = evidence.bound_rows(dataclasses.replace(of, bounds=["G.1, 1/N"]), Place(tmp_path, "paper"))
    assert (mended.outcome, mended.n) == (rules.HOLDS, 4)


def test_the_intervals_of_several_rows_are_wider(made):
    rng = np.random.default_rng(0)
    results = [made(name, constant(*rng.lognormal(size=12))) for name in ("homotopy", "random", "warmstart")]
    one = rows(claim(against=["random"]), results)[0]
    two = rows(claim(against=["random", "warmstart"]), results)[0]
    for narrow, wide in zip(one[4:7], two[4:7], strict=True):
        assert isinstance(wide, Interval) and wide.low <= narrow.low and narrow.high <= wide.high
    assert two.paired.low < one.paired.low


def test_area_is_the_geometric_mean_over_the_recorded_epochs(made):
    of = claim(against=["random"], quantity="area", settled=None)
    results = [made("homotopy", [(8, 1, 1)] * 9), made("random", [(8, 8, 1)] * 9)]
    (row,) = rows(of, results)
    assert (row.ours, row.theirs, row.ratio.value) == pytest.approx((2, 4, 2))
    assert row.outcome == rules.HOLDS and row.literal is None  # nothing is settled


def test_a_diverged_seed_has_infinite_area_even_after_a_loss_of_0():
    assert statistics.area(np.array([[1, 4], [0, 1], [0, np.inf]])).tolist() == [2, 0, np.inf]


def test_epochs_are_those_to_a_loss_that_the_rules_give(made):
    of = claim(against=["random"], quantity="epochs", threshold=2.0, settled=None)
    results = [made("homotopy", [(2, 9, 9)] * 9), made("random", [(9, 2, 9)] * 5 + [(9, 9, 9)] * 4)]
    (row,) = rows(of, results)
    assert (row.ours, row.theirs, row.ratio.value) == pytest.approx((1, 10, 10))
    assert row.ratio.high == np.inf  # seeds that never come there stay in n


def test_intervals_of_several_measures_hold_together(made):
    of = claim(against=["random"], quantity="several", measures=["area", "epochs", "loss"], threshold=2.0, settled=5)
    results = [made("homotopy", [(8, 1, 1)] * 9), made("random", [(8, 8, 1)] * 9)]
    found = rows(of, results)
    assert [row.label for row in found] == [f"{name}, against random" for name in ("area", "epochs", "loss")]
    assert [row.ratio.value for row in found] == pytest.approx([2, 2, 1])
    (alone,) = rows(dataclasses.replace(of, quantity="area", measures=None), results)
    assert found[0].better.low == pytest.approx((0.05 / 6) ** (1 / 9)) and alone.better.low > found[0].better.low
