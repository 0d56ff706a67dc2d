"""The screen before a fair test on images: each method's best setting, and the network that the test takes.

The rules are those of docs/images.md, written before the screen's runs. Three seeds carry no interval: its counts
describe and decide nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from homotopy import markdown
from homotopy.config import Config
from homotopy.report.verdicts import number
from homotopy.results import statistics
from homotopy.results.library import Result
from homotopy.results.methods import LABELS, METHODS

EXPERIMENTS = ("screen_fashion", "screen_cifar")
THRESHOLD = {"FashionMNIST": 0.4, "CIFAR10": 1.0}  # losses on the target
LAST = 5  # epochs of the settled loss at the end
NETWORKS = {4: "vgg_small", 11: "VGG-11", 16: "VGG-16"}  # by their layers with weights
CANDIDATES = ("VGG-11", "VGG-16")
MEASURES = ("area", "epochs", "end")
_COLUMNS = ["target", "network", "init", "method", "setting", "n", *MEASURES, "objective", "accuracy", "complete"]
LOWER_BY, WITHIN = 1.1, 1.25  # margins of the claims
CLAIMS = (  # target, the homotopy against, measures, margin
    ("FashionMNIST", "random", ("area", "epochs"), LOWER_BY),
    ("FashionMNIST", "warmstart", MEASURES, WITHIN),
    ("CIFAR10", "random", ("area", "epochs"), LOWER_BY),
    ("CIFAR10", "warmstart", MEASURES, LOWER_BY),
)


class Case(NamedTuple):
    """What a screen chooses among: a network and an initialisation on a target."""

    target: str
    network: str
    init: str


class Screen(NamedTuple):
    """What was tried, as `screen` has it, and every case that is to be tried."""

    table: pd.DataFrame
    cases: list[Case]

    @property
    def best(self) -> dict[tuple[Case, str], dict[str, Any]]:
        """The best setting by case and method, of those that have one."""
        rows: list[dict[str, Any]] = self.table[self.table["best"]].to_dict("records")  # type: ignore[assignment]
        return {(Case(row["target"], row["network"], row["init"]), row["method"]): row for row in rows}


def network(of: Config) -> str:
    """Return the name of a configuration's network."""
    return NETWORKS[sum(map(len, of.model.stages)) + len(of.model.hidden) + 1]


def setting(of: Config) -> str:
    """Return what its method varies, in words."""
    if of.method.name == "random":
        return f"batches of {of.batch_size}"
    if of.method.name == "warmstart":
        return f"source {of.budget.source}"
    return f"gamma {of.schedule.gamma}, k {of.budget.k}, {of.task.pairing}"


def screen(results: Sequence[Result]) -> Screen:
    """Return every setting that has finished seeds: its medians over these, and which is its method's `best`.

    `area` is the geometric mean of the loss over all recorded epochs, `epochs` those to the target's threshold, `end`
    the settled loss over the last five; `accuracy` and `objective`, the settled loss on it, decide nothing. The best
    has the least median area, once all settings of the method, with that network and initialisation, have all seeds.
    """
    keys = [(_case(found.config), found.config.method.name) for found in results]
    lacking = {key for key, found in zip(keys, results, strict=True) if found.seeds < len(found.config.seeds)}
    rows = [
        {**case._asdict(), "method": method, **_measured(found), "complete": (case, method) not in lacking}
        for (case, method), found in zip(keys, results, strict=True)
        if not found.curves.empty
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    first = table.groupby([*Case._fields, "method"])["area"].rank(method="first") == 1
    table = table.drop(columns="complete").assign(best=first & table["complete"].astype(bool))
    return Screen(table, list(dict.fromkeys(case for case, _ in keys)))


def _case(of: Config) -> Case:
    return Case(of.task.target, network(of), of.model.init)


def _measured(found: Result) -> dict[str, Any]:
    of, losses = found.config, found.table("target_loss")
    values = {
        "area": statistics.area(losses),
        "epochs": statistics.first_epoch(found.epochs, losses, THRESHOLD[of.task.target]),
        "end": statistics.settled(found.epochs, losses, LAST),
        "objective": statistics.settled(found.epochs, found.table("train_loss"), LAST),
        "accuracy": found.final("accuracy"),
    }
    medians = {name: float(statistics.median(value)) for name, value in values.items()}
    return {"setting": setting(of), "n": found.seeds, **medians}


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


def ratios(of: Screen, case: Case, against: str) -> dict[str, float] | None:
    """Return a baseline's medians over the homotopy's, by measure, at the methods' best settings; None without them."""
    ours, theirs = (of.best.get((case, name)) for name in ("homotopy", against))
    if ours is None or theirs is None:
        return None
    return {measure: float(statistics.ratio(theirs[measure], ours[measure])) for measure in MEASURES}


def shows(ratio: float, margin: float) -> bool:
    """Whether a ratio is what a claim says: at least the margin, or within it where methods are to be alike."""
    return 1 / margin <= ratio <= margin if margin == WITHIN else ratio >= margin


def counts(of: Screen) -> list[list[str]]:
    """Return for each claim and measure in how many of the cases it shows, "2 of 9 (1 not run)"."""
    lines = []
    for target, against, measures, margin in CLAIMS:
        found = [ratios(of, case, against) for case in of.cases if case.target == target]
        missing = found.count(None)
        for measure in measures if found else ():
            holds = sum(shows(each[measure], margin) for each in found if each)
            said = f"{holds} of {len(found)}" + (f" ({missing} not run)" if missing else "")
            what = f"within {margin:g}" if margin == WITHIN else f"at least {margin:g}"
            lines.append([target, f"{LABELS[against]} over the homotopy", measure, what, said])
    return lines


def text(of: Screen) -> str:
    """Return the best settings with their median areas, what is picked in bold, and the counts, as Markdown."""
    if of.table.empty:
        return "No results yet.\n"
    chosen = picked(of)
    lines = []
    for case in of.cases:
        cells = [_cell(of.best.get((case, method))) for method in METHODS]
        if any(cells):
            mark = "**" if chosen.get(case.target) == case else ""
            lines.append([f"{mark}{word}{mark}" for word in case] + cells)
    best = markdown.table(["target", "network", "initialisation", *(LABELS[method] for method in METHODS)], lines)
    head = ["target", "ratio of medians", "of", "is", "in how many settings"]
    return f"{best}\n{markdown.table(head, counts(of))}"


def _cell(row: dict[str, Any] | None) -> str:
    return f"{number(row['area'])} ({row['setting']})" if row else ""
