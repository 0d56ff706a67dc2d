"""The screen before a fair test on images: each method's best setting, and what the final runs take.

The rules are those of docs/images.md, written before the screen's runs; thresholds, margins and measures are those of
the claims on images in rules.yaml. Three seeds carry no interval: the screen's counts describe and decide nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from homotopy import markdown
from homotopy.config import Config
from homotopy.report import evidence
from homotopy.report.evidence import Curves
from homotopy.report.rules import MEASURES, Claim, Rules
from homotopy.report.verdicts import number
from homotopy.results import images, statistics
from homotopy.results.library import Result, incomplete
from homotopy.results.methods import LABELS, METHODS

EXPERIMENTS = ("screen_fashion", "screen_glorot", "screen_cifar")
FINAL = {"FashionMNIST": "fig3a", "CIFAR10": "fig3b"}  # the experiment of a target's final runs
FINAL_EPOCHS = {"FashionMNIST": 40, "CIFAR10": 60}
SHARE = 1 / 5  # of the final epochs, at most, lie on the path
CANDIDATES = ("VGG-11", "VGG-16")
_COLUMNS = ["target", "network", "init", "method", "setting", "path", "n", *MEASURES, "objective", "accuracy"]


class Case(NamedTuple):
    """What a screen chooses among: a network and an initialisation on a target."""

    target: str
    network: str
    init: str


class Screen(NamedTuple):
    """What was tried, as `screen` has it, every case that is to be tried, and the claims by target."""

    table: pd.DataFrame
    cases: list[Case]
    claims: Mapping[str, list[Claim]]

    @property
    def best(self) -> dict[tuple[Case, str], dict[str, Any]]:
        """The best setting by case and method, of those that have one."""
        rows: list[dict[str, Any]] = self.table[self.table["best"]].to_dict("records")  # type: ignore[assignment]
        return {(Case(row["target"], row["network"], row["init"]), row["method"]): row for row in rows}


class Count(NamedTuple):
    """In how many of some cases a claim shows, and in how many nothing can be said yet."""

    shows: int
    cases: int
    missing: int

    def __str__(self) -> str:
        """Return it in words, "2 of 8 (1 of 9 not complete)"."""
        lacking = f" ({self.missing} of {self.cases} not complete)" if self.missing else ""
        return f"{self.shows} of {self.cases - self.missing}{lacking}"


def screen(results: Sequence[Result], book: Rules) -> Screen:
    """Return every setting that has finished seeds: its medians over these, and which is its method's `best`.

    Measured are a claim's `area`, `epochs` and `loss`; `accuracy` and `objective`, the settled loss on it, decide
    nothing; `path` is the homotopy's epochs before the target alone. The best has the least median area, once all
    settings of the method, with that network and initialisation, are `complete`: have all seeds.
    """
    claims = claims_by_target(book)
    keys = [(case_of(found.config), found.config.method.name) for found in results]
    lacking = incomplete(keys, results)
    rows = [
        {
            **case._asdict(),
            "method": method,
            **measured(found, claims[case.target], book),
            "complete": key not in lacking,
        }
        for key, found in zip(keys, results, strict=True)
        if not found.curves.empty
        for case, method in [key]
    ]
    table = pd.DataFrame(rows, columns=[*_COLUMNS, "complete"]).astype({"complete": bool})
    table["best"] = _least(table)
    return Screen(table, list(dict.fromkeys(case for case, _ in keys)), claims)


def _least(table: pd.DataFrame) -> pd.Series:
    """Tell of each row whether it has the least area of its method in its case, and whether that is known for good."""
    rank = table.groupby([*Case._fields, "method"])["area"].rank(method="first")
    return (rank == 1) & table["complete"]


def claims_by_target(book: Rules) -> dict[str, list[Claim]]:
    """Return the claims on each target's final runs."""
    return {target: [claim for claim in book.claims if name in claim.experiments] for target, name in FINAL.items()}


def case_of(of: Config) -> Case:
    """Return a configuration's case."""
    return Case(of.task.target, images.network(of), of.model.init)


def measured(found: Result, claims: Sequence[Claim], book: Rules) -> dict[str, Any]:
    """Return a result's setting, path and number of seeds, and the medians of what its target's claims measure."""
    of = found.config
    parts = {part.quantity: part for claim in claims for part in claim.parts}
    target, objective = (Curves(found.epochs, found.table(name)) for name in ("target_loss", "train_loss"))
    values = {name: evidence.value(parts[name], book.window(parts[name]), target) for name in MEASURES}
    values["objective"] = evidence.value(parts["loss"], book.window(parts["loss"]), objective)
    values["accuracy"] = found.final("accuracy")
    medians = {name: float(statistics.median(value)) for name, value in values.items()}
    path = of.path_epochs if of.method.path == "schedule" else 0
    return {"setting": images.setting(of), "path": path, "n": found.seeds, **medians}


def picked(of: Screen) -> dict[str, Case]:
    """Return the case of a target's final runs: VGG-11 or VGG-16, of the least median area at random's best setting.

    A target is left out while one of these cases lacks its best setting.
    """
    found = {}
    for target in dict.fromkeys(case.target for case in of.cases):
        candidates = [case for case in of.cases if case.target == target and case.network in CANDIDATES]
        if all((case, "random") in of.best for case in candidates):
            found[target] = min(candidates, key=lambda case: of.best[case, "random"]["area"])
    return found


def chosen(of: Screen) -> dict[tuple[str, str], str]:
    """Return the settings of the final runs, by target and method, of those that are known.

    Each is the picked case's best whose path is at most a fifth of the final epochs.
    """
    found: dict[tuple[str, str], str] = {}
    for target, case in picked(of).items():
        rows = of.table[(of.table[list(Case._fields)] == list(case)).all(axis=1)]
        short = rows[rows["path"] <= SHARE * FINAL_EPOCHS[target]]
        best = short[_least(short)]
        found |= {(target, row["method"]): row["setting"] for _, row in best.iterrows()}
    return found


def ratios(of: Screen, case: Case, claim: Claim) -> dict[str, float] | None:
    """Return the opponent's medians over ours, by the claim's measures, at the methods' best settings.

    None where a method has none yet; nan where both medians are infinite.
    """
    (opponent,) = claim.against or []
    ours, theirs = (of.best.get((case, name)) for name in (claim.ours, opponent))
    if ours is None or theirs is None:
        return None
    return {part.quantity: _ratio(theirs[part.quantity], ours[part.quantity]) for part in claim.parts}


def _ratio(theirs: float, ours: float) -> float:
    return np.nan if np.isinf([theirs, ours]).all() else float(statistics.ratio(np.array(theirs), np.array(ours)))


def shows(claim: Claim, ratio: float) -> bool:
    """Whether a ratio of medians is what a claim says: at least its margin, or within it where methods are alike."""
    return ratio >= claim.margin if claim.predicate == "below" else 1 / claim.margin <= ratio <= claim.margin


def count(of: Screen, claim: Claim, measures: Sequence[str] | None = None) -> Count:
    """Return in how many of its target's cases a claim shows, in all of some measures, by default in all of its own."""
    (target,) = (target for target, claims in of.claims.items() if claim in claims)
    found = [ratios(of, case, claim) for case in of.cases if case.target == target]
    holds = sum(all(shows(claim, each[name]) for name in measures or each) for each in found if each)
    return Count(holds, len(found), found.count(None))


def counts(of: Screen) -> dict[str, Count]:
    """Return each claim's count by its id; nothing before the first run of its target."""
    tried = set(of.table["target"])
    return {claim.id: count(of, claim) for target, claims in of.claims.items() if target in tried for claim in claims}


def said(claim: Claim) -> tuple[str, str]:
    """Return in words which ratio a claim on images is about, and what it says of it."""
    is_ = "at least" if claim.predicate == "below" else "within"
    return f"{LABELS[(claim.against or [])[0]]} over the homotopy", f"{is_} {claim.margin:g}"


def _count_lines(of: Screen) -> list[list[str]]:
    """Return a line for each claim and measure, and one for all measures of a claim together."""
    lines = []
    for target, claims in of.claims.items():
        for claim in claims if any(case.target == target for case in of.cases) else []:
            over, is_ = said(claim)
            for name in [part.quantity for part in claim.parts]:
                lines.append([target, over, name, is_, str(count(of, claim, [name]))])
            lines.append([target, over, "all of these", is_, str(count(of, claim))])
    return lines


def text(of: Screen) -> str:
    """Return the best settings with their median areas, what is picked in bold, and the counts, as Markdown."""
    if of.table.empty:
        return "No results yet.\n"
    cases, lines = picked(of), []
    for case in of.cases:
        cells = [_cell(of.best.get((case, method))) for method in METHODS]
        if any(cells):
            mark = "**" if cases.get(case.target) == case else ""
            lines.append([f"{mark}{word}{mark}" for word in case] + cells)
    head = ["target", "network", "initialisation", *(LABELS[method] for method in METHODS)]
    parts = [markdown.table(head, lines)]
    if settings := chosen(of):
        final = [[target, *(settings.get((target, method), "") for method in METHODS)] for target in cases]
        parts.append(markdown.table(["final runs", *(LABELS[method] for method in METHODS)], final))
    head = ["target", "ratio of medians", "of", "is", "in how many settings"]
    return "\n".join([*parts, markdown.table(head, _count_lines(of))])


def _cell(row: dict[str, Any] | None) -> str:
    return f"{number(row['area'])} ({row['setting']})" if row else ""
