"""The rules of rules.yaml and the claims that they judge; no result is read here.

rules.yaml says what every field, quantity, outcome and verdict means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import yaml

from homotopy.errors import ConfigError
from homotopy.results.intervals import Interval
from homotopy.settings import at_least, between, build, one_of, rule

FILE = Path(__file__).resolve().parents[2] / "rules.yaml"

MEASURES = ("area", "epochs", "loss")  # what a claim of several measures has a row for
SAMPLED = ("loss", "speed", "area", "epochs", "several")  # what has a value per seed, and intervals over seeds
UNSETTLED = ("area", "epochs")  # computed from the loss as it was recorded, not from the settled one
QUANTITIES = (*SAMPLED, "equality", "bound")
PREDICATES = ("below", "alike", "reaches", "zero", "within")
EXPERIMENT, THEOREM, CONSTRUCTION = KINDS = ("experiment", "theorem", "construction")
HOLDS, OPEN = "holds", "open"
REVERSED, ALIKE, DIFFERS, HALF, SHORT, VIOLATED = (
    "reversed", "no difference", "differs", "half way", "falls short", "violated",
)  # fmt: skip
REPRODUCED, PARTLY, NOT = "reproduced", "partly", "not reproduced"


@dataclass(frozen=True)
class Claim:
    """One claim; rules.yaml says what the fields mean.

    Quantity `area` is a seed's geometric mean loss over its recorded epochs, `epochs` the first of them at which its
    loss is at most `threshold`; `several` has the rows of all `measures`, whose intervals hold together.
    """

    id: str
    place: str
    claim: str
    commands: list
    kind: str = rule(one_of(*KINDS), ", ".join(KINDS))
    quantity: str = rule(one_of(*QUANTITIES), ", ".join(QUANTITIES))
    predicate: str = rule(one_of(*PREDICATES), ", ".join(PREDICATES))
    combine: str = rule(one_of("all", "any"), "all or any")
    margin: float = 1.0
    half: float = float("inf")
    number: int | None = None
    paper: str | None = None
    figures: list | None = None
    each: dict | None = None
    pooled: dict | None = None
    ours: str = ""
    against: list | None = None
    best: bool = False
    metric: str = "target_loss"
    settled: int | None = None
    count_source: bool = False
    measures: list | None = rule(
        lambda v: v and set(v) <= set(MEASURES), f"a list of {', '.join(MEASURES)}", default=None
    )
    threshold: float | None = rule(at_least(0), "0 or more (the loss to come to)", default=None)
    reading: str | None = None
    bounds: list | None = None

    @property
    def parts(self) -> list[Claim]:
        """The claim once for each of its quantities."""
        return [replace(self, quantity=name) for name in self.measures or [self.quantity]]

    @property
    def experiments(self) -> list[str]:
        """The experiments that the commands run."""
        return [command.partition("experiment=")[2].split()[0] for command in self.commands]


def _is_commit(given: str) -> bool:
    return len(given) == 40


@dataclass(frozen=True)
class Rules:
    """All of rules.yaml: what holds for every claim, the paper's claims, and our own questions.

    `level` is that at which a claim's intervals hold together, `settled` the epochs of a settled loss, `solved` the
    loss below which a run solves its task; seeds below `known` were known when the rules were written, in the commit
    `rules`, and the claims on images in the commit `image_rules`.
    """

    level: float = rule(between(0, 1), "strictly between 0 and 1")
    settled: int = rule(at_least(1), "1 or more epochs")
    solved: float = rule(at_least(0), "0 or more")
    least_seeds: int = rule(at_least(1), "1 or more")
    known: int = rule(at_least(0), "0 or more")
    rules: str = rule(_is_commit, "the 40 digits of a commit")
    image_rules: str = rule(_is_commit, "the 40 digits of a commit")
    map_omegas: list = rule(bool, "a list of omegas")
    claims: list = rule(bool, "a list of claims")
    questions: list = rule(lambda _: True, "a list of claims")

    def window(self, claim: Claim) -> int:
        """Return the epochs of a claim's settled loss; 1 where the loss counts as it was recorded."""
        return 1 if claim.quantity in UNSETTLED else claim.settled or self.settled


class Row(NamedTuple):
    """One comparison of a claim: its outcome from n of the `asked` seeds.

    `ratio`, `paired` and `better` are what rules.yaml computes; a bound and an equality have the first alone, a row
    without results none. `ours` and `theirs` are the medians compared. Beside a row stand the same `literal`, from the
    loss of one epoch, and `unseen`, without the seeds that were known; these decide nothing.
    """

    label: str
    outcome: str
    n: int
    asked: int
    ratio: Interval | None = None
    paired: Interval | None = None
    better: Interval | None = None
    ours: float | None = None
    theirs: float | None = None
    note: str = ""
    literal: Row | None = None
    unseen: Row | None = None

    @property
    def where(self) -> str:
        """The part of the label before the opponents: what is compared, "omega 95, 137 together"."""
        return self.label.partition("against ")[0].removesuffix(", ")

    @property
    def against(self) -> str:
        """The part of the label that names the opponents, "random and warmstart"."""
        return self.label.partition("against ")[2]


def read(path: Path = FILE) -> Rules:
    """Read and check rules.yaml; raise ConfigError for the first mistake."""
    raw = yaml.safe_load(path.read_text())
    for part in ("claims", "questions"):
        raw[part] = [build(Claim, values, f"{part}.{i}") for i, values in enumerate(raw.get(part) or [])]
    every = raw["claims"] + raw["questions"]
    for claim in every:
        if (claim.quantity == "bound") != (claim.predicate == "within"):
            raise ConfigError(f"{claim.id}.predicate", claim.predicate, "within for quantity bound, and for no other")
        if claim.quantity == "speed" and (claim.best or claim.pooled):  # its threshold is that of two methods
            raise ConfigError(f"{claim.id}.quantity", claim.quantity, "another with best or pooled")
        if (claim.quantity == "several") != bool(claim.measures):
            raise ConfigError(f"{claim.id}.measures", claim.measures, "given for quantity several, and for no other")
        if ("epochs" in (claim.quantity, *(claim.measures or []))) != (claim.threshold is not None):
            raise ConfigError(f"{claim.id}.threshold", claim.threshold, "given for epochs to a loss, and for no other")
        if [other.id for other in every].count(claim.id) > 1:
            raise ConfigError("id", claim.id, "given once")
    return build(Rules, raw, "rules")


def row_level(level: float, rows: int) -> float:
    """Return the level of each of m intervals that hold together at `level` (Bonferroni)."""
    return 1 - (1 - level) / rows


def outcome(claim: Claim, ratio: Interval, paired: Interval, least_seeds: int) -> str:
    """Return what the two intervals of one row of losses or epochs say."""
    if ratio.n < least_seeds:
        return OPEN
    low, high, margin = min(ratio.low, paired.low), max(ratio.high, paired.high), claim.margin
    within = 1 / margin <= low and high <= margin
    said = {
        "below": {
            HOLDS: low > 1 and ratio.value >= margin,
            REVERSED: high < 1 and ratio.value <= 1 / margin,
            ALIKE: within,
        },
        "alike": {HOLDS: within, DIFFERS: low > margin or high < 1 / margin},
        "reaches": {HOLDS: low > margin, HALF: low > claim.half, SHORT: high < margin},
    }[claim.predicate]
    return next((name for name, applies in said.items() if applies), OPEN)


def verdict(claim: Claim, outcomes: Sequence[str]) -> str:
    """Combine the rows' outcomes; never stronger than they are."""
    if all(found == OPEN for found in outcomes):
        return OPEN
    if claim.combine == "any":
        if HOLDS in outcomes:
            return REPRODUCED
        if HALF in outcomes:
            return PARTLY
        return NOT if all(found == SHORT for found in outcomes) else OPEN
    if all(found == HOLDS for found in outcomes):
        return REPRODUCED
    return PARTLY if HOLDS in outcomes else NOT
