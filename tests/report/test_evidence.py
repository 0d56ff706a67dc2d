"""Rows of a claim from made-up curves whose quantities are known."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from homotopy.errors import ResultError
from homotopy.report import claims, evidence
from homotopy.report.claims import Claim
from homotopy.report.evidence import Curves
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
    return Claim(**rest | {"quantity": "loss", "predicate": "above", "tolerance": 1.25} | fields)


def rows(of, results):
    return evidence.rows(of, results, Place(Path("nowhere"), "paper"), 0.95)


def constant(*losses):
    return [(loss, loss, loss) for loss in losses]


def test_loss_is_the_ratio_of_final_medians(made):
    results = [made("homotopy", constant(1, 2, 3)), made("random", constant(10, 20, 30))]
    (row,) = rows(claim(against=["random"]), results)
    assert (row.label, row.ours, row.theirs, row.improvement, row.asked) == ("against random", 2, 20, 1.0, 3)
    assert row.interval == (10, 10, 10, 3)  # paired by seed, every resample's ratio is 10
    assert row.p == pytest.approx(0.25)  # 2 of 2^3 signings
    assert row.outcome == claims.HOLDS


def test_seeds_that_only_one_method_has_finished_are_left_out(made):
    results = [made("homotopy", constant(1, 1, 9), seeds=[3, 4, 5]), made("random", constant(9, 2, 2), seeds=[2, 3, 4])]
    (row,) = rows(claim(against=["random"]), results)
    assert (row.interval.n, row.asked, row.interval.value) == (2, 3, 2)


def test_best_compares_with_the_better_opponent_and_each_with_every_value(made):
    results = [
        made(method, constant(loss), omega)
        for omega, losses in {74: (1, 8, 4), 137: (1, 2, 6)}.items()
        for method, loss in zip(("homotopy", "random", "warmstart"), losses, strict=True)
    ]
    each = {"task.omega": [74, 137]}
    found = rows(claim(against=["random", "warmstart"], best=True, each=each), results)
    assert [(row.label, row.interval.value) for row in found] == [
        ("omega 74, against random and warmstart", 4),
        ("omega 137, against random and warmstart", 2),
    ]
    assert len(rows(claim(against=["random", "warmstart"], each=each), results)) == 4


def test_speed_is_the_ratio_of_epochs_to_a_loss_that_both_reach(made):
    fast, slow = made("homotopy", [(4, 0.9, 0.8)]), made("random", [(4, 2, 1)])
    (row,) = rows(claim(against=["random"], quantity="speed"), [fast, slow])
    assert (row.ours, row.theirs, row.interval.value, row.note) == (10, 20, 2, "epochs to 1.25")


def test_speed_counts_the_source_solution_if_asked_to(made):
    fast, slow = made("homotopy", [(4, 0.9, 0.8)]), made("random", [(4, 2, 1)])
    (row,) = rows(claim(against=["random"], quantity="speed", count_source=True), [fast, slow])
    assert (row.ours, row.theirs) == (60, 20)


def test_who_has_learned_nothing_has_not_converged_fast(made):
    fast, stuck = made("homotopy", [(0.6, 0.5, 0.01)]), made("random", [(0.5, 0.5, 0.49)])
    (row,) = rows(claim(against=["random"], quantity="speed"), [fast, stuck])
    assert (row.ours, row.theirs, row.interval.value) == (20, np.inf, np.inf)


def test_the_loss_before_any_training_may_be_known(made):
    fast, slow = made("homotopy", [(1.0, 0.9, 0.8)]), made("random", [(1.5, 1.1, 0.9)])
    (row,) = rows(claim(against=["random"], quantity="speed"), [fast, slow])
    assert (row.ours, row.theirs, row.note) == (np.inf, np.inf, "epochs to 0.75")
    (row,) = rows(claim(against=["random"], quantity="speed", untrained=2.303), [fast, slow])
    assert (row.ours, row.theirs, row.note) == (1, 10, "epochs to 1.12")


def test_a_path_that_alone_keeps_ours_above_the_threshold_is_told(made):
    ours, theirs = np.array([[0.9, 0.5, 0.1]]), np.array([[0.9, 0.1, 0.1]])
    lam = np.array([0.5, 0.9, 1.0])

    def note(losses):
        compared = Curves(np.array(EPOCHS), losses, lam), [Curves(np.array(EPOCHS), theirs, np.ones(3))]
        return evidence.loss_row(claim(quantity="speed"), "", *compared, 0.95, 1).note

    assert note(ours) == f"epochs to 0.125; ours at least 0.5 before lam = 1, from epoch {EPOCHS[2]} on"
    assert note(np.array([[0.9, 0.12, 0.1]])) == "epochs to 0.125"
    theirs[:] = [0.9, 0.9, 0.1]
    assert note(ours).startswith("epochs to 0.125; ours at least 0.5")  # both there at once
    lam[1] = 1
    assert note(np.array([[0.9, 0.2, 0.1]])) == "epochs to 0.125"  # theirs later than the path's end


def test_diverged_seeds_are_worst():
    ours, theirs = (
        Curves(np.array(EPOCHS), np.array(constant(1, np.inf, np.inf)), np.ones(3)),
        Curves(np.array(EPOCHS), np.ones((3, 3)), np.ones(3)),
    )
    row = evidence.loss_row(claim(), "", ours, [theirs], 0.95, 3)
    assert (row.ours, row.interval.value) == (np.inf, 0)


@pytest.mark.parametrize("predicate", ["above", "alike"])
def test_where_both_fail_there_is_nothing_to_compare(predicate):
    diverged = Curves(np.array(EPOCHS), np.full((3, 3), np.inf), np.ones(3))
    row = evidence.loss_row(claim(predicate=predicate), "", diverged, [diverged], 0.95, 3)
    assert row.outcome == claims.OPEN


def test_growth_correlates_the_advantage_with_the_key(made):
    across = {"task.omega": [11, 74, 137]}
    growing = claim(
        against=["random"], best=True, across=across, quantity="growth", predicate="positive", tolerance=0.5
    )
    results = [made("homotopy", constant(1, 1, 1), omega) for omega in (11, 74, 137)]
    up = [made("random", constant(x, x, x), omega) for omega, x in ((11, 1), (74, 2), (137, 3))]
    down = [made("random", constant(x, x, x), omega) for omega, x in ((11, 3), (74, 2), (137, 1))]
    assert rows(growing, results + up)[0].interval == (1, 1, 1, 3)
    assert rows(growing, results + down)[0].outcome == claims.FAILS
    assert rows(growing, results + up[:2])[0].outcome == claims.MISSING


def test_equality_is_exact(made):
    same = claim(against=["warmstart"], quantity="equality", predicate="zero")
    a, b = made("homotopy", constant(1, np.inf)), made("warmstart", constant(1, np.inf))
    assert rows(same, [a, b])[0].outcome == claims.HOLDS
    assert rows(same, [a, made("warmstart", constant(1, 2))])[0].outcome == claims.FAILS
    b.curves["epoch"] += 1
    assert rows(same, [a, b])[0].outcome == claims.FAILS


def test_without_results_nothing_is_tested(made):
    (row,) = rows(claim(against=["random"]), [made("homotopy", constant(1)), made("random", [])])
    assert row.outcome == claims.MISSING and row.interval is None
    (row,) = rows(claim(quantity="bound", predicate="within", bounds=["Thm 3.9"]), [])
    assert row.outcome == claims.MISSING


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
        ("Prop. 3.7, C a", "a", 1.0, 0.9, 0.8, 1.1, "undecided", 4, 0),
        ("G.1, as printed", "ball", 1.0, 0.9, 0.8, 0.95, "yes", 4, 1),
        ("G.1, 1/N in Eq. 32", "ball", 1.0, 0.9, 0.8, 0.95, "yes", 4, 0),
    ]
    pd.DataFrame(table, columns=columns).to_csv(folder / "bounds.csv", index=False)
    of = claim(quantity="bound", predicate="within", bounds=["Thm 3.9", "Prop. 3.7, C", "G.1", "Prop. G.1"])
    found = evidence.rows(of, [], Place(tmp_path, "paper"), 0.95)
    assert [row.outcome for row in found] == [claims.HOLDS, claims.OPEN, claims.FAILS, claims.MISSING]
    assert found[0].interval == (0.5, 0.4, 0.6, 3)
    assert found[2].note == "1 of 8 settings violate it: G.1, as printed, ball"
    (mended,) = evidence.rows(dataclasses.replace(of, bounds=["G.1, 1/N"]), [], Place(tmp_path, "paper"), 0.95)
    assert (mended.outcome, mended.interval.n) == (claims.HOLDS, 4)


def test_p_values_are_corrected_for_their_number(made):
    results = [made(m, constant(*x)) for m, x in (("homotopy", range(1, 9)), ("random", range(11, 19)))]
    results.append(made("warmstart", constant(*range(21, 29))))
    one = rows(claim(against=["random"]), results)[0]
    two = rows(claim(against=["random", "warmstart"]), results)[0]
    assert two.p == pytest.approx(2 * one.p)
    assert two.level > one.level
