import pandas as pd
import pytest

from homotopy import compose
from homotopy.errors import ConfigError
from homotopy.job import parse
from homotopy.theory import study, summary


def job(tmp_path, *overrides):
    return parse(compose.jobs(["experiment=theory", "profile=smoke", f"results.root={tmp_path}", *overrides])[0])


@pytest.mark.parametrize(
    "override, key",
    [
        ("theory.repetitions=3", "theory.repetitions"),
        ("theory.files=[lipschitz,nothing]", "theory.files"),
        ("theory.files=[]", "theory.files"),
        ("theory.seed=-1", "theory.seed"),
    ],
)
def test_a_bad_setting_is_named(tmp_path, override, key):
    with pytest.raises(ConfigError, match=key.replace(".", r"\.")):
        study.settings(job(tmp_path, override))


def test_the_whole_study_writes_every_file_and_the_same_bytes_again(tmp_path):
    first, second = (tmp_path / name for name in "ab")
    for root in (first, second):
        study.measure(job(root, "theory.files=[lipschitz,iterates,tracking,local,statements,run,balls]"))
    files = sorted(path.name for path in (first / "smoke/theory").iterdir())
    assert {"bounds.csv", "bounds.md", "statements.md", "steps.csv", "tracking.csv", "run.csv"} <= set(files)
    for name in files:
        assert (first / "smoke/theory" / name).read_bytes() == (second / "smoke/theory" / name).read_bytes()
    bounds = pd.read_csv(first / "smoke/theory/bounds.csv")
    assert {"Prop. 3.6", "Thm 3.9", "Prop. G.1"} <= set(bounds["bound"])
    eq_8 = pd.read_csv(first / "smoke/theory/iterates.csv")
    share = (1 - 2 * eq_8["alpha"] * eq_8["mu"]) ** eq_8["k"]
    expected = share * eq_8["start"] + eq_8["alpha"] * eq_8["C"] ** 2 / (2 * eq_8["mu"])
    assert eq_8["bound"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-4)  # the file has six digits


def test_the_table_shows_the_tightest_setting_and_counts_violations_but_not_what_is_not_claimed():
    rows = pd.DataFrame(
        [
            {
                "case": "a",
                "mu": 1.0,
                "bound": 2.0,
                "measured": 1.0,
                "low": 0.9,
                "high": 1.1,
                "ratio": 0.5,
                "holds": "yes",
            },
            {
                "case": "a",
                "mu": 2.0,
                "bound": 2.0,
                "measured": 3.0,
                "low": 2.9,
                "high": 3.1,
                "ratio": 1.5,
                "holds": "no",
            },
            {"case": "a", "mu": 3.0, "bound": 1.0, "measured": 9.0, "low": 9.0, "high": 9.0, "ratio": 9.0}
            | {"holds": "not claimed"},
        ]
    )
    (found,) = summary.tightest(rows, "some bound", ["case"])
    assert (found["ratio"], found["loosest"], found["holds"]) == (1.5, 0.5, "no")
    assert (found["settings"], found["violated"], found["constants"]) == (2, 1, "mu 2")


def test_a_bound_that_is_undecided_in_a_looser_setting_does_not_hold():
    numbers = {"case": "a", "gamma": 1, "i": 1, "problem": "a", "bound": 1.0, "measured": 0.9, "low": 0.8, "high": 1.1}
    steps = {"step_over_admissible": 1.0, "admissible": 0.1}
    held = {"yes": 0.99, "undecided": 0.9}
    rows = pd.DataFrame([numbers | steps | {"ratio": ratio, "holds": holds} for holds, ratio in held.items()])
    (found,) = summary.tightest(rows, "some bound", ["case"])
    assert (found["ratio"], found["holds"], found["violated"]) == (0.99, "undecided", 0)
    assert summary.steps_table(rows)["inside up to"].isna().all()


def test_markdown_escapes_norms_and_leaves_missing_numbers_empty():
    text = summary.markdown(pd.DataFrame({"what": ["||g||"], "value": [float("nan")]}))
    assert text.splitlines() == ["| what | value |", "| --- | --- |", "| \\|\\|g\\|\\| |  |"]
