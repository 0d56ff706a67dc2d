"""The rules that judge: those of rules.yaml, unchanged since they were committed, none stronger than its interval."""

import re
import subprocess

import numpy as np
import pytest
import yaml

from homotopy import keys
from homotopy.errors import ConfigError
from homotopy.report import rules
from homotopy.report.rules import ALIKE, DIFFERS, HALF, HOLDS, OPEN, REVERSED, SHORT, VIOLATED, Claim
from homotopy.results.intervals import Interval

INF = np.inf
IMAGES = (5, 6)  # claims that were written anew before their runs, as rules.yaml says
ADDED = {  # each with a dated line
    "slow-faster",
    "slow-comparable",
    "glorot-faster",
    "glorot-comparable",
    "slow-cifar-faster",
    "slow-cifar-path",
}
REDRAWN = "bounds-near-the-optimum"  # names no figure any more, by a dated line


def claim(**fields):
    rest = {"id": "a", "place": "here", "claim": "it is so", "commands": ["python scripts/train.py experiment=fig1"]}
    rest |= {"kind": "experiment", "quantity": "loss", "predicate": "below", "combine": "all"}
    return Claim(**rest | fields)


def registered(commit):
    """Return rules.yaml as it was in a commit before its runs."""
    shown = subprocess.run(
        ["git", "show", f"{commit}:{rules.FILE.name}"], cwd=rules.FILE.parent, capture_output=True, text=True
    )
    if shown.returncode:
        pytest.skip(f"this copy has no git history back to commit {commit[:7]}: a shallow clone, or no clone")
    return shown.stdout


def without(claim, key):
    return {name: value for name, value in claim.items() if name != key}


def test_the_rules_are_those_that_were_committed_before_their_runs():
    def judging(text):
        found = yaml.safe_load(text) | {"rules": None, "image_rules": None, "known": None}
        questions = [each for each in found["questions"] if each["id"] not in ADDED]
        claims = [each for each in found["claims"] if each["number"] not in IMAGES]
        claims = [without(each, "figures") if each["id"] == REDRAWN else each for each in claims]
        return {**found, "claims": claims, "questions": questions}

    assert judging(rules.FILE.read_text()) == judging(registered(rules.read().rules))


def test_the_claims_on_images_are_those_of_their_own_commit():
    def judging(text):  # that they could not be tested was said until their network was known
        claims = [each for each in yaml.safe_load(text)["claims"] if each["number"] in IMAGES]
        return [without(each, "untestable") for each in claims]

    now = judging(rules.FILE.read_text())
    assert len(now) == 4 and now == judging(registered(rules.read().image_rules))


def test_their_comment_too_but_for_what_is_dated():
    def stated(text):
        return text[text.index("# What was known when they were written") : text.index("# Changed since")]

    now = rules.FILE.read_text()
    assert stated(now) == stated(registered(rules.read().rules))
    changes = now[now.index("# Changed since") : now.index("\nlevel:")].splitlines()[1:]
    assert all(re.match(r"#   (\d{4}-\d\d-\d\d: | )?\S", line) for line in changes) and "-" in changes[0]


@pytest.mark.parametrize(
    ("predicate", "ratio", "paired", "expected"),
    [  # margin 1.25, half 1.1; estimate, low, high
        ("below", (2.0, 1.1, 3.0), (1.1, 3.0), HOLDS),
        ("below", (1.25, 1.1, 1.4), (1.1, 1.4), HOLDS),  # the margin itself is enough
        ("below", (2.0, 1.0, 3.0), (1.1, 3.0), OPEN),  # 1 itself is not
        ("below", (2.0, 1.1, 3.0), (0.9, 3.0), OPEN),  # the two do not agree
        ("below", (2.0, 0.9, 3.0), (1.1, 3.0), OPEN),
        ("below", (1.24, 1.1, 1.3), (1.1, 1.3), OPEN),  # surely above, but not by the margin
        ("below", (INF, 5.0, INF), (5.0, INF), HOLDS),
        ("below", (0.5, 0.3, 0.9), (0.3, 0.9), REVERSED),
        ("below", (0.81, 0.7, 0.9), (0.7, 0.9), OPEN),
        ("below", (0.5, 0.3, 0.9), (0.3, 1.1), OPEN),
        ("below", (1.0, 0.8, 1.25), (0.9, 1.1), ALIKE),
        ("below", (1.0, 0.8, 1.25), (0.79, 1.1), OPEN),
        ("below", (1.0, 0.8, 1.26), (0.9, 1.1), OPEN),
        ("alike", (1.0, 0.9, 1.2), (0.8, 1.25), HOLDS),
        ("alike", (1.0, 0.7, 1.2), (0.9, 1.1), OPEN),
        ("alike", (2.0, 1.3, 3.0), (1.3, 3.0), DIFFERS),
        ("alike", (2.0, 1.3, 3.0), (1.2, 3.0), OPEN),
        ("alike", (0.5, 0.4, 0.7), (0.4, 0.7), DIFFERS),
        ("reaches", (2.0, 1.3, 3.0), (1.3, 3.0), HOLDS),
        ("reaches", (2.0, 1.3, 3.0), (1.2, 3.0), HALF),
        ("reaches", (1.15, 1.11, 1.2), (1.11, 1.2), HALF),
        ("reaches", (1.15, 1.05, 1.3), (1.05, 1.3), OPEN),  # above 1, but not surely above half
        ("reaches", (2.0, 1.0, 3.0), (1.3, 3.0), OPEN),
        ("reaches", (1.0, 1.0, 1.2), (0.1, 1.24), SHORT),
        ("reaches", (1.0, 1.0, 1.2), (0.1, 1.3), OPEN),
    ],
)
def test_outcome(predicate, ratio, paired, expected):
    of = claim(predicate=predicate, margin=1.25, half=1.1)
    assert rules.outcome(of, Interval(*ratio, 9), Interval(1.0, *paired, 9), 9) == expected
    assert rules.outcome(of, Interval(*ratio, 8), Interval(1.0, *paired, 8), 9) == OPEN  # too few seeds


@pytest.mark.parametrize(
    ("combine", "outcomes", "expected"),
    [
        ("all", [HOLDS, HOLDS], "reproduced"),
        ("all", [HOLDS, OPEN], "partly"),
        ("all", [HOLDS, REVERSED], "partly"),
        ("all", [OPEN, REVERSED], "not reproduced"),
        ("all", [OPEN, ALIKE], "not reproduced"),
        ("all", [VIOLATED], "not reproduced"),
        ("all", [OPEN, OPEN], "open"),
        ("any", [HOLDS, SHORT], "reproduced"),
        ("any", [HALF, SHORT], "partly"),
        ("any", [SHORT, SHORT], "not reproduced"),
        ("any", [SHORT, OPEN], "open"),
        ("any", [OPEN, OPEN], "open"),
    ],
)
def test_verdict(combine, outcomes, expected):
    assert rules.verdict(claim(combine=combine), outcomes) == expected


def test_intervals_of_several_rows_hold_together():
    assert rules.row_level(0.95, 8) == pytest.approx(1 - 0.05 / 8)


def test_the_file_is_complete_and_its_experiments_exist():
    book = rules.read()
    assert {claim.number for claim in book.claims} == set(range(1, 9))
    for each in book.claims:
        assert each.paper and each.place and each.commands
    for name in {name for each in book.claims + book.questions for name in each.experiments}:
        assert name in keys.names("experiment")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"predicate": "above"}, "claims.0.predicate=above: must be below"),
        ({"predicate": "within"}, "sine-lowest.predicate=within: must be within for quantity bound, and"),
        ({"quantity": "bound"}, "sine-lowest.predicate=below: must be within for quantity bound"),
        ({"quantity": "speed", "best": True}, "sine-lowest.quantity=speed: must be another with best or pooled"),
        ({"quantity": "several"}, "sine-lowest.measures=None: must be given for quantity several"),
        ({"quantity": "several", "measures": ["speed"]}, r"claims.0.measures=.*: must be a list of area, epochs, loss"),
        ({"quantity": "epochs"}, "sine-lowest.threshold=None: must be given for epochs to a loss"),
        ({"threshold": 0.4}, "sine-lowest.threshold=0.4: must be given for epochs to a loss, and for no other"),
        ({"kind": "guess"}, "claims.0.kind=guess: must be experiment, theorem, construction"),
        ({"id": "sine-faster"}, "id=sine-faster: must be given once"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(fields, message, tmp_path):
    raw = yaml.safe_load(rules.FILE.read_text())
    raw["claims"][0] |= fields
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(raw))
    with pytest.raises(ConfigError, match=message):
        rules.read(tmp_path / "rules.yaml")


def test_rules_without_their_commit_are_refused(tmp_path):
    raw = yaml.safe_load(rules.FILE.read_text()) | {"rules": None}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(raw))
    with pytest.raises(ConfigError, match="rules.rules=None: must be the 40 digits of a commit"):
        rules.read(tmp_path / "rules.yaml")
