"""Seeds that were made again are told from those that were not, by every digit of their rows."""

from __future__ import annotations

from pathlib import Path

from homotopy.results.comparison import Tolerance, differences
from homotopy.results.folder import RunFolder
from homotopy.training.runner import run


def changed(path: Path, seed: int, factor: float) -> None:
    """Multiply one value of a seed."""
    folder = RunFolder(path)
    runs = folder.runs()
    runs.loc[runs.index[runs["seed"] == seed][1], "train_loss"] *= factor
    folder.add(runs[runs["seed"] == seed], {"seeds": [seed]}, {})


def test_only_seeds_that_both_have_are_compared_and_one_digit_counts(tiny, tmp_path: Path):
    again = run(tiny("seeds=[0,1,3]", f"results.root={tmp_path / 'again'}"))
    saved = run(tiny("seeds=[0,1,2]", f"results.root={tmp_path / 'saved'}"))
    assert differences(saved, again) == {0: None, 1: None}
    changed(saved, 1, 1.00001)
    found = differences(saved, again)
    assert found.keys() == {0, 1} and found[0] is None
    assert found[1] and "\n  saved 1," in found[1] and "\n  again 1," in found[1]
    assert differences(saved, tmp_path / "nothing") == {}


def test_rows_that_are_missing_are_a_difference(tiny, tmp_path: Path):
    again = run(tiny("seeds=2", f"results.root={tmp_path / 'again'}"))
    saved = RunFolder(run(tiny("seeds=[0]", f"results.root={tmp_path / 'saved'}")))
    runs = saved.runs()
    saved.add(runs[:-1], {"seeds": [0]}, {})
    (found,) = differences(saved.path, again).values()
    assert found and "rows saved" in found


def test_other_metrics_are_a_difference_whatever_is_tolerated(tiny, tmp_path: Path):
    again = run(tiny("seeds=[0]", f"results.root={tmp_path / 'again'}"))
    saved = RunFolder(run(tiny("seeds=[0]", f"results.root={tmp_path / 'saved'}")))
    saved.add(saved.runs().drop(columns="test_loss"), {"seeds": [0]}, {})
    (found,) = differences(saved.path, again, Tolerance(loss=9, accuracy=9)).values()
    assert found and "test_loss" in found


def test_seeds_of_other_files_differ_whatever_their_rows(tiny, tmp_path: Path):
    saved = RunFolder(run(tiny("seeds=1", f"results.root={tmp_path / 'saved'}")))
    again = RunFolder(run(tiny("seeds=1", f"results.root={tmp_path / 'again'}")))
    for folder, md5 in ((saved, "a"), (again, "b")):
        folder.add(folder.runs(), {"seeds": [0], "data": [{"name": "MNIST", "md5": md5}]}, {})
    (found,) = differences(saved.path, again.path).values()
    assert found and "MNIST" in found


def test_losses_may_deviate_by_a_share_and_accuracies_by_a_difference(tiny, tmp_path: Path):
    saved = RunFolder(run(tiny("seeds=1", f"results.root={tmp_path / 'saved'}")))
    again = RunFolder(run(tiny("seeds=1", f"results.root={tmp_path / 'again'}")))
    for folder, loss, accuracy in ((saved, 100.0, 0.5), (again, 101.0, 0.52)):
        runs = folder.runs().drop(columns="test_loss").assign(train_loss=loss, accuracy=accuracy)
        folder.add(runs, {"seeds": [0]}, {})
    assert differences(saved.path, again.path, Tolerance(loss=0.011, accuracy=0.021)) == {0: None}
    for tolerance in (Tolerance(loss=0.009, accuracy=0.021), Tolerance(loss=0.011, accuracy=0.019)):
        assert differences(saved.path, again.path, tolerance)[0]
