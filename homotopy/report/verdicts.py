"""A claim judged by the results that a library has, and what was found in words.

Every number comes from a result file or from rules.yaml.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from homotopy.report import rules
from homotopy.report.evidence import rows
from homotopy.report.rules import Claim, Row, Rules
from homotopy.results.intervals import Interval
from homotopy.results.library import Library, Result, span

_PLURALS = {rules.HOLDS: "hold", rules.DIFFERS: "differ", rules.SHORT: "fall short"}  # of outcomes whose plural differs
_OUTCOMES = (
    rules.HOLDS, rules.HALF, rules.ALIKE, rules.REVERSED, rules.DIFFERS, rules.SHORT, rules.VIOLATED, rules.OPEN,
)  # fmt: skip
_ANSWERS = {rules.REPRODUCED: "yes", rules.NOT: "no"}
QUANTITIES = {
    "loss": "ratio of median losses",
    "speed": "ratio of median epochs",
    "area": "ratio of median areas (geometric means of the loss over all epochs)",
    "epochs": "ratio of median epochs",
    "several": "ratio of medians",
    "equality": "largest difference",
    "bound": "measured over bound, at the tightest",
}
KINDS = {rules.EXPERIMENT: "experiments", rules.THEOREM: "theorems", rules.CONSTRUCTION: "true by construction"}


class Judged(NamedTuple):
    """A claim, its rows and its verdict; `notes` say what is unusual about the data."""

    claim: Claim
    rows: list[Row]
    verdict: str
    profile: str
    notes: list[str] = []

    @property
    def so_far(self) -> bool:
        """Whether a row lacks seeds that its configurations ask for."""
        return any(row.n < row.asked or not row.asked for row in self.rows)

    @property
    def text(self) -> str:
        """The verdict in words; a question of ours is answered, not reproduced."""
        word = self.verdict if self.claim.number else _ANSWERS.get(self.verdict, self.verdict)
        if self.profile != "paper":
            return f"{word} (indicative)"
        return f"{word} so far" if self.so_far else word

    @property
    def cell(self) -> str:
        """The verdict as a table shows it, with what must be said beside it."""
        return "; ".join([f"**{self.text}**", *self.remarks])

    @property
    def remarks(self) -> list[str]:
        """What must be said beside the verdict: that it is of another reading, and what the literal loss says."""
        reading = self.claim.reading
        found = [f"another reading ({reading}), not counted"] if reading else []
        others = [row.literal.outcome for row in self.rows if row.literal and row.literal.outcome != row.outcome]
        if others:
            said = ", ".join(outcomes(others).values())
            found.append(
                f"by the loss of the last epoch alone {len(others)} of {len(self.rows)} comparisons would come out "
                f"otherwise: {said}"
            )
        return found


def outcomes(found: Iterable[str]) -> dict[str, str]:
    """Return how many rows came out how, in words by outcome, of the outcomes that there are: "6 hold", "2 open"."""
    counts = Counter(found)
    words = {name: _PLURALS.get(name, name) if counts[name] > 1 else name for name in _OUTCOMES}
    return {name: f"{counts[name]} {words[name]}" for name in _OUTCOMES if counts[name]}


def judge(claim: Claim, library: Library, book: Rules) -> Judged:
    """Evaluate one claim."""
    found = [] if claim.bounds else library.results(*claim.experiments)
    evaluated = rows(claim, found, library.place, book)
    verdict = rules.verdict(claim, [row.outcome for row in evaluated])
    return Judged(claim, evaluated, verdict, library.place.profile, _notes(found))


def _notes(found: Sequence[Result]) -> list[str]:
    """Return for each thing that is unusual about image data which data sets it is said of."""
    names: dict[str, set[str]] = {}
    for data in (data for r in found for data in r.data if data["note"]):
        names.setdefault(data["note"], set()).add(data["name"])
    return [f"{', '.join(sorted(names[note]))}: {note}" for note in sorted(names)]


def number(value: float | None) -> str:
    """Return three significant digits, and words for what is not finite."""
    if value is None or np.isnan(value):
        return ""
    if np.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    short = float(f"{value:.3g}")
    return f"{short:,.0f}" if 1000 <= abs(short) < 1e6 else f"{short:.3g}"


def interval(found: Interval | None) -> str:
    """Return an estimate with its interval."""
    if found is None or np.isnan(found.value):
        return ""
    value, low, high, _ = found
    return number(value) if low == high == value else f"{number(value)} [{number(low)}, {number(high)}]"


def percent(share: float) -> str:
    """Return a share in whole percent, but in tenths where that would hide what little there is or is missing."""
    if 0 < share < 0.0005:
        return "<0.1 %"
    if 0.9995 <= share < 1:
        return ">99.9 %"
    return f"{100 * share:.0f} %" if share in (0, 1) or 0.005 <= share < 0.985 else f"{100 * share:.1f} %"


def between(low: float, high: float) -> str:
    """Return the interval of a share."""
    return f"[{percent(low)}, {percent(high)}]"


def seeds(row: Row) -> str:
    """Return how many seeds, or measurements of a bound, a row has: "8 of 100" until it has all."""
    return of_asked(row.n, row.asked)


def of_asked(n: object, asked: object) -> str:
    """Return how many of those asked for there are: "8 of 100" until there are all."""
    return f"{n}" if n == asked else f"{n} of {asked}"


def summary(judged: Judged) -> str:
    """Return what was found in one line: how many comparisons came out how, the range of the quantity, and n."""
    found = [row for row in judged.rows if row.ratio is not None]
    if not found:
        return "not run"
    total, outcome = len(judged.rows), ", ".join(outcomes(row.outcome for row in judged.rows).values())
    values = [row.ratio.value for row in found if row.ratio and not np.isnan(row.ratio.value)]
    between = " to ".join(dict.fromkeys([number(min(values)), number(max(values))])) if values else "none"
    of, what = ("bounds", "measurements") if judged.claim.bounds else ("comparisons", "n =")
    n, asked = span([row.n for row in judged.rows]), span([row.asked for row in judged.rows])
    n += f" of {asked}" if judged.so_far else ""
    rest = "".join(f"; {note}" for note in judged.notes)
    quantity = QUANTITIES[judged.claim.quantity]
    if total == 1:
        return f"{judged.rows[0].outcome}: {quantity} {interval(found[0].ratio) or 'none'}, {what} {n}{rest}"
    return f"of {total} {of} {outcome}; {quantity} {between}, {what} {n}{rest}"


def tally(found: Sequence[Judged]) -> str:
    """Return how many of the claims came out how, by kind; other readings of a sentence are not counted.

    In brackets stands that they are indicative, or so far.
    """
    parts = []
    for kind, name in KINDS.items():
        counted = [j for j in found if j.claim.kind == kind and not j.claim.reading]
        verdicts = Counter(j.verdict for j in counted)
        order = (rules.REPRODUCED, rules.PARTLY, rules.NOT, rules.OPEN)
        said = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in order if verdicts[verdict])
        if any(j.profile != "paper" for j in counted):
            said += " (indicative)"
        elif any(j.so_far for j in counted):
            said += " (so far)"
        if counted:
            parts.append(f"{name}: {said}")
    return "; ".join(parts)


def verdicts(found: Sequence[Judged]) -> pd.DataFrame:
    """Return id, the claim's number if it is the paper's, kind, figures, verdict, and the verdict in words."""
    columns = ["id", "number", "kind", "figures", "verdict", "text"]
    lines = [
        (j.claim.id, j.claim.number or "", j.claim.kind, " ".join(j.claim.figures or []), j.verdict, j.text)
        for j in found
    ]
    return pd.DataFrame(lines, columns=columns)
