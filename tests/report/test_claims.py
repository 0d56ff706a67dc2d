"""The rules that judge: no verdict stronger than its interval."""

import numpy as np
import pytest
import yaml

from homotopy import compose
from homotopy.errors import ConfigError
from homotopy.report import claims
from homotopy.report.claims import FAILS, HALF, HOLDS, MISSING, OPEN, Claim, Row
from homotopy.results.statistics import Interval


def claim(**fields):
    rest = {"id": "a", "place": "here", "claim": "it is so", "commands": ["python scripts/train.py experiment=fig1"]}
    return Claim(**rest | {"quantity": "loss", "predicate": "above", "combine": "all"} | fields)


@pytest.mark.parametrize(
    ("predicate", "interval", "expected"),
    [
        ("above", (2.0, 1.1, 3.0), HOLDS),
        ("above", (1.2, 1.1, 1.3), OPEN),  # surely above, but not visibly
        ("above", (2.0, 0.9, 3.0), OPEN),
        ("above", (1.0, 0.9, 1.2), FAILS),
        ("above", (np.inf, 5.0, np.inf), HOLDS),
        ("alike", (1.0, 0.9, 1.2), HOLDS),
        ("alike", (1.0, 0.7, 1.2), OPEN),
        ("alike", (2.0, 1.3, 3.0), FAILS),
        ("alike", (0.5, 0.4, 0.7), FAILS),
        ("reaches", (2.0, 1.3, 3.0), HOLDS),
        ("reaches", (2.0, 1.2, 3.0), HALF),
        ("reaches", (2.0, 1.0, 3.0), OPEN),
        ("reaches", (1.0, 1.0, 1.2), FAILS),
        ("positive", (1.3, 0.1, 2.0), HOLDS),
        ("positive", (1.3, -0.1, 2.0), OPEN),
        ("positive", (0.2, 0.1, 1.0), FAILS),
        ("zero", (0.0, 0.0, 0.0), HOLDS),
        ("zero", (1e-6, 0.0, 0.0), FAILS),
    ],
)
def test_outcome(predicate, interval, expected):
    assert claims.outcome(claim(predicate=predicate, tolerance=1.25, half=1.1), Interval(*interval, 10)) == expected


def test_two_seeds_leave_a_row_open():
    assert claims.outcome(claim(tolerance=1.25), Interval(9.0, 9.0, 9.0, 2)) == OPEN
    assert claims.outcome(claim(tolerance=1.25), Interval(9.0, 9.0, 9.0, 3)) == HOLDS
    assert claims.outcome(claim(quantity="equality", predicate="zero"), Interval(0.0, 0.0, 0.0, 1)) == HOLDS


@pytest.mark.parametrize(
    ("combine", "outcomes", "expected"),
    [
        ("all", [HOLDS, HOLDS], "reproduced"),
        ("all", [HOLDS, MISSING], "partly"),
        ("all", [HOLDS, FAILS], "partly"),
        ("all", [OPEN, FAILS], "not reproduced"),
        ("all", [OPEN, MISSING], "inconclusive"),
        ("all", [MISSING, MISSING], "not tested"),
        ("any", [HOLDS, FAILS], "reproduced"),
        ("any", [HALF, FAILS], "partly"),
        ("any", [FAILS, FAILS], "not reproduced"),
        ("any", [FAILS, MISSING], "inconclusive"),
        ("any", [FAILS, OPEN], "inconclusive"),
    ],
)
def test_verdict(combine, outcomes, expected):
    assert claims.verdict(claim(combine=combine), outcomes) == expected


def row(n, asked, level=0.95):
    return Row("", Interval(1.0, 1.0, 1.0, n), level, HOLDS, asked)


def test_a_verdict_is_indicative_unless_everything_asked_for_is_there():
    assert claims.indicative(claim(), [row(100, 100)], "paper") == []
    assert claims.indicative(claim(), [row(100, 100)], "quick") == ["profile quick"]
    assert claims.indicative(claim(), [row(100, 100), row(99, 100)], "paper") == ["fewer seeds than asked for"]
    assert claims.indicative(claim(), [row(5, 5)], "paper") == ["too few seeds for intervals of this level"]
    assert claims.indicative(claim(), [row(6, 6)], "paper") == []
    assert claims.indicative(claim(quantity="equality"), [row(3, 3)], "paper") == []


def test_intervals_of_several_rows_hold_together():
    assert claims.row_level(0.95, 8) == pytest.approx(1 - 0.05 / 8)


def test_the_file_is_complete_and_its_experiments_exist():
    book = claims.read()
    assert {claim.number for claim in book.claims} == set(range(1, 9))
    for each in book.claims:
        assert each.paper and each.place and each.commands
    for name in {name for each in book.claims + book.questions for name in each.experiments}:
        assert name in compose.names("experiment")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"predicate": "below"}, "claims.0.predicate=below: must be above"),
        ({"predicate": "within"}, "sine-lowest.predicate=within: must be within for quantity bound, and"),
        ({"quantity": "bound"}, "sine-lowest.predicate=above: must be within for quantity bound"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(fields, message, tmp_path):
    raw = yaml.safe_load(claims.FILE.read_text())
    raw["claims"][0] |= fields
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(raw))
    with pytest.raises(ConfigError, match=message):
        claims.read(tmp_path / "claims.yaml")
