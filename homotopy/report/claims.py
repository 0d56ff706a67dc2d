"""The claims of claims.yaml and the rules that judge them; no result is read here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from homotopy.errors import ConfigError
from homotopy.results.statistics import Interval, level_of_range
from homotopy.settings import between, build, check, one_of, rule

FILE = Path(__file__).resolve().parents[2] / "claims.yaml"

BOOTSTRAPPED = ("loss", "speed", "growth")
LEAST_SEEDS = 3  # a bootstrap of fewer shows no spread worth the name
QUANTITIES = (*BOOTSTRAPPED, "equality", "bound")
PREDICATES = ("above", "alike", "reaches", "positive", "zero", "within")
HOLDS, HALF, FAILS, OPEN, MISSING = "holds", "half way", "fails", "open", "no results"
REPRODUCED, PARTLY, NOT, INCONCLUSIVE, UNTESTED = (
    "reproduced", "partly", "not reproduced", "inconclusive", "not tested",
)  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """One claim; claims.yaml says what the fields mean."""

    id: str
    place: str
    claim: str
    commands: list
    quantity: str = rule(one_of(*QUANTITIES), ", ".join(QUANTITIES))
    predicate: str = rule(one_of(*PREDICATES), ", ".join(PREDICATES))
    combine: str = rule(one_of("all", "any"), "all or any")
    tolerance: float = 0.0
    half: float = float("inf")
    number: int | None = None
    paper: str | None = None
    figures: list | None = None
    each: dict | None = None
    across: dict | None = None
    ours: str = ""
    against: list | None = None
    best: bool = False
    metric: str = "target_loss"
    count_source: bool = False
    untrained: float | None = None
    bounds: list | None = None

    @property
    def experiments(self) -> list[str]:
        """The experiments that the commands run."""
        return [command.partition("experiment=")[2].split()[0] for command in self.commands]


class Claims(NamedTuple):
    """The paper's claims, our own questions, and the level at which a claim's intervals hold together."""

    level: float
    claims: list[Claim]
    questions: list[Claim]


class Row(NamedTuple):
    """One comparison of a claim. `interval` is None where there are no results.

    `ours` and `theirs` are the two medians compared, `improvement` the share of seeds with ours better, `p` Wilcoxon's
    two-sided p-value, Holm's correction over the claim's rows included; None where the quantity has none.
    """

    label: str
    interval: Interval | None
    level: float
    outcome: str
    asked: int
    ours: float | None = None
    theirs: float | None = None
    improvement: float | None = None
    p: float | None = None
    note: str = ""


def read(path: Path = FILE) -> Claims:
    """Read and check claims.yaml; raise ConfigError for the first mistake."""
    raw = yaml.safe_load(path.read_text())
    level = check(raw["level"], float, {"holds": between(0, 1), "allowed": "strictly between 0 and 1"}, "level")
    parts = {
        part: [build(Claim, values, f"{part}.{i}") for i, values in enumerate(raw[part])]
        for part in ("claims", "questions")
    }
    every = [claim for part in parts.values() for claim in part]
    for claim in every:
        if (claim.quantity == "bound") != (claim.predicate == "within"):
            allowed = "within for quantity bound, and for no other"
            raise ConfigError(f"{claim.id}.predicate", claim.predicate, allowed)
        if [other.id for other in every].count(claim.id) > 1:
            raise ConfigError("id", claim.id, "given once")
    return Claims(level, **parts)


def row_level(level: float, rows: int) -> float:
    """Return the level of each of m intervals that hold together at `level` (Bonferroni)."""
    return 1 - (1 - level) / rows


def outcome(claim: Claim, found: Interval) -> str:
    """What one row's interval says of its claim, by the predicates of claims.yaml."""
    if claim.quantity in BOOTSTRAPPED and found.n < LEAST_SEEDS:
        return OPEN
    return _RULES[claim.predicate](found, claim)


def _either(holds: bool, fails: bool) -> str:
    return HOLDS if holds else FAILS if fails else OPEN


def _above(found: Interval, claim: Claim) -> str:
    return _either(found.low > 1 and found.value >= claim.tolerance, found.high < claim.tolerance)


def _alike(found: Interval, claim: Claim) -> str:
    low, high = 1 / claim.tolerance, claim.tolerance
    return _either(low <= found.low and found.high <= high, found.high < low or found.low > high)


def _reaches(found: Interval, claim: Claim) -> str:
    if found.low > claim.tolerance:
        return HOLDS
    if found.low > claim.half:
        return HALF
    return FAILS if found.high < claim.tolerance else OPEN


def _positive(found: Interval, claim: Claim) -> str:
    return _either(found.low > 0 and found.value >= claim.tolerance, found.high < claim.tolerance)


def _zero(found: Interval, claim: Claim) -> str:
    return HOLDS if found.value == 0 else FAILS


_RULES: dict[str, Any] = {
    "above": _above, "alike": _alike, "reaches": _reaches, "positive": _positive, "zero": _zero,
}  # fmt: skip


def verdict(claim: Claim, outcomes: Sequence[str]) -> str:
    """Combine the rows' outcomes; never stronger than they are."""
    if all(found == MISSING for found in outcomes):
        return UNTESTED
    if claim.combine == "any":
        if HOLDS in outcomes:
            return REPRODUCED
        if HALF in outcomes:
            return PARTLY
        return NOT if all(found == FAILS for found in outcomes) else INCONCLUSIVE
    if all(found == HOLDS for found in outcomes):
        return REPRODUCED
    if HOLDS in outcomes:
        return PARTLY
    return NOT if FAILS in outcomes else INCONCLUSIVE


def indicative(claim: Claim, rows: Sequence[Row], profile: str) -> list[str]:
    """Return the reasons, if any, for which a verdict is no more than indicative."""
    seeds = [(row.interval.n, row.asked, row.level) for row in rows if row.interval is not None]
    reasons = {
        f"profile {profile}": profile != "paper",
        "fewer seeds than asked for": any(n < asked for n, asked, _ in seeds),
        "too few seeds for intervals of this level": claim.quantity in BOOTSTRAPPED
        and any(level_of_range(n) < level for n, _, level in seeds),
    }
    return [reason for reason, applies in reasons.items() if applies and seeds]
