"""The predictions of predictions.yaml, judged by saved results: what was expected, how surely, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from homotopy.errors import ConfigError
from homotopy.report import evidence, rules, verdicts
from homotopy.report.evidence import Comparison
from homotopy.report.rules import Claim, Row, Rules
from homotopy.report.verdicts import interval, number
from homotopy.results import intervals, statistics
from homotopy.results.files import read_csv
from homotopy.results.library import Library, Place
from homotopy.results.methods import LABELS
from homotopy.settings import at_least, between, build, check, not_set, rule
from homotopy.training import why

FILE = Path(__file__).resolve().parents[2] / "predictions.yaml"
KINDS = ("compare", "share", "level", "probe")
CORRECT, WRONG, OPEN, NOT_RUN = "as predicted", "otherwise", "open", "not run"


@dataclass(frozen=True)
class Prediction:
    """One prediction; predictions.yaml says what the fields mean."""

    id: str
    experiment: str
    expect: str
    probability: float = rule(between(0, 1), "strictly between 0 and 1")
    compare: dict | None = None
    share: dict | None = None
    level: dict | None = None
    probe: dict | None = None
    seeds: int = not_set(1)  # the file's, for all of them

    @property
    def kind(self) -> str:
        """How it is judged."""
        return next(kind for kind in KINDS if getattr(self, kind))


class PredictionRow(NamedTuple):
    """What one row of a prediction shows: its value in words, whether that is as predicted, and its seeds."""

    label: str
    value: str
    outcome: str
    n: int


class JudgedPrediction(NamedTuple):
    """A prediction, its rows and its outcome."""

    prediction: Prediction
    rows: list[PredictionRow]
    outcome: str

    @property
    def decided(self) -> bool:
        """Whether it came out as predicted or otherwise."""
        return self.outcome in (CORRECT, WRONG)

    @property
    def whole(self) -> bool:
        """Whether every row has all of its seeds."""
        return all(row.n >= self.prediction.seeds for row in self.rows)

    @property
    def text(self) -> str:
        """What was found, row by row; rows that show the same are told once."""
        return "; ".join(
            dict.fromkeys(f"{row.label}: {row.value}".removeprefix(": ") for row in self.rows if row.value)
        )


def read(path: Path = FILE) -> list[Prediction]:
    """Read and check predictions.yaml; raise ConfigError for the first mistake."""
    raw = yaml.safe_load(path.read_text())
    seeds = check(raw.get("seeds"), int, "seeds", at_least(1), "an integer of at least 1")
    found = [
        replace(build(Prediction, values, f"predictions.{i}"), seeds=seeds)
        for i, values in enumerate(raw["predictions"])
    ]
    for each in found:
        if sum(getattr(each, kind) is not None for kind in KINDS) != 1:
            raise ConfigError(each.id, "judged by several or none", f"judged by one of {', '.join(KINDS)}")
        if [other.id for other in found].count(each.id) > 1:
            raise ConfigError("id", each.id, "given once")
    return found


def judge(prediction: Prediction, library: Library, book: Rules) -> JudgedPrediction:
    """Evaluate one prediction; only all of its rows together make it right.

    A row is open until all of its seeds are there.
    """
    how: dict[str, Callable[..., Iterator[PredictionRow]]] = {
        "compare": _compared, "share": _ends, "level": _ends, "probe": _probed,
    }  # fmt: skip
    found = how[prediction.kind](getattr(prediction, prediction.kind), prediction, library, book)
    rows = [row._replace(outcome=OPEN) if 0 < row.n < prediction.seeds else row for row in found]
    return JudgedPrediction(prediction, rows, _together([row.outcome for row in rows]))


def _together(outcomes: Sequence[str]) -> str:
    """Return the outcome of all rows together: wrong if one is, else not run or open if one is, else as predicted."""
    return next((name for name in (WRONG, NOT_RUN, OPEN) if name in outcomes), CORRECT)


def _places(given: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a label and the keys' values for each row that `where` and `each` describe."""
    for place in evidence.places(given.get("each") or {}):
        words = (evidence.words(key, value).removeprefix("label ") for key, value in place.items())
        yield ", ".join(words), (given.get("where") or {}) | place


def _compared(given: dict[str, Any], prediction: Prediction, library: Library, book: Rules) -> Iterator[PredictionRow]:
    """Compare as rules.yaml's claims do."""
    by, results = given.get("by", "method.name"), library.results(prediction.experiment)
    claim = Claim(
        prediction.id, "", prediction.expect, [], "experiment", "loss", given["predicate"], "all", given["margin"]
    )
    compared = []
    for (label, where), against in product(list(_places(given)), given["against"]):
        ours, theirs = (evidence.pick(results, where | {by: name}) for name in (given["ours"], against))
        compared.append(Comparison(f"{label}, against {LABELS.get(against, against)}", [ours], [[theirs]]))
    level = rules.row_level(book.level, len(compared))
    for each in compared:
        row = evidence.row(claim, each, book, level)
        said = f"{row.outcome}, ratio {interval(row.ratio)}" if row.n else ""
        yield PredictionRow(each.label, said, _outcome(row, given["outcome"]), row.n)


def _outcome(row: Row, expected: str) -> str:
    """Compare a row's outcome with the one expected."""
    if not row.n:
        return NOT_RUN
    if row.outcome == rules.OPEN and expected != rules.OPEN:
        return OPEN
    return CORRECT if row.outcome == expected else WRONG


def _ends(given: dict[str, Any], prediction: Prediction, library: Library, book: Rules) -> Iterator[PredictionRow]:
    """Judge what the seeds' settled losses come to: the share that solve the task, or for a `level` their median."""
    results = library.results(prediction.experiment)
    for (place, where), method in product(list(_places(given)), given["methods"]):
        found, label = evidence.pick(results, where | {"method.name": method}), f"{place}, {LABELS[method]}"
        if found is None or found.curves.empty:
            yield PredictionRow(label, "", NOT_RUN, 0)
            continue
        losses = statistics.settled(found.epochs, found.table("target_loss"), book.settled)
        if prediction.kind == "share":
            solved = losses < book.solved
            share = intervals.share(solved, book.level)
            value, words = share.value, f"{solved.sum()} of {len(losses)} {verdicts.between(share.low, share.high)}"
        else:
            value = float(np.median(losses))
            words = number(value)
        yield PredictionRow(label, words, _within(value, given), len(losses))


def _within(value: float, given: Mapping[str, Any]) -> str:
    return CORRECT if given.get("at_least", -np.inf) <= value <= given.get("at_most", np.inf) else WRONG


def _probed(given: dict[str, Any], prediction: Prediction, library: Library, book: Rules) -> Iterator[PredictionRow]:
    def median(method: str, quantity: str) -> tuple[float, int]:
        values = quantities(library.place, method, quantity, given["epoch"])
        return float(values.median()), values.index.nunique()

    for method in given["methods"]:
        value, n = median(method, given["quantity"])
        beside = [(given["of"], given["quantity"])] if "of" in given else []
        beside += [(method, given["over"])] if "over" in given else []
        for divisor, seeds in (median(*each) for each in beside):
            value, n = value / divisor, min(n, seeds)
        yield PredictionRow(LABELS[method], number(value), NOT_RUN if np.isnan(value) else _within(value, given), n)


def quantities(place: Place, method: str, quantity: str, epoch: int | str) -> pd.Series:
    """Return what experiment=why recorded of a method, by seed: one value each, with `steps` one for each step."""
    for table in why.TABLES:
        path = why.file(place.folder, method, table)
        frame = read_csv(path, index_col="seed") if path.exists() else pd.DataFrame()
        if quantity in frame:
            if epoch == "steps":
                return frame.loc[frame["phase"] == "step", quantity]
            return frame.loc[frame["epoch"] == (frame["epoch"].max() if epoch == "last" else epoch), quantity]
    return pd.Series(dtype=float)


def brier(found: Sequence[JudgedPrediction]) -> float | None:
    """Return the mean of (probability - outcome)^2, outcome 1 only where it came out as predicted; None of nothing."""
    errors = [(each.prediction.probability - (each.outcome == CORRECT)) ** 2 for each in found]
    return float(np.mean(errors)) if errors else None


def frame(found: Sequence[JudgedPrediction]) -> pd.DataFrame:
    """Return every prediction with its outcome."""
    columns = ["id", "experiment", "expect", "found", "probability", "outcome"]
    lines = [
        (p.id, p.experiment, p.expect, each.text, p.probability, each.outcome)
        for each in found
        if (p := each.prediction)
    ]
    return pd.DataFrame(lines, columns=columns)
