"""A claim judged by the results that a library has, and what was found in words.

Every number comes from a result file or from claims.yaml.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from homotopy.report import claims
from homotopy.report.claims import Claim, Row
from homotopy.report.evidence import rows
from homotopy.results.library import Library, span

_OUTCOMES = {  # one, several
    claims.HOLDS: ("holds", "hold"),
    claims.HALF: ("half way", "half way"),
    claims.OPEN: ("open", "open"),
    claims.FAILS: ("fails", "fail"),
    claims.MISSING: ("not run", "not run"),
}
_ANSWERS = {claims.REPRODUCED: "yes", claims.NOT: "no", claims.INCONCLUSIVE: "open"}
QUANTITIES = {
    "loss": "ratio of median losses",
    "speed": "ratio of median epochs",
    "growth": "rank correlation",
    "equality": "largest difference",
    "bound": "measured over bound, tightest setting",
}


class Judged(NamedTuple):
    """A claim, its rows and its verdict.

    `reasons` say why the verdict is no more than indicative, if it is not; `notes` what is unusual about the data.
    """

    claim: Claim
    rows: list[Row]
    verdict: str
    reasons: list[str]
    notes: list[str] = []

    @property
    def text(self) -> str:
        """The verdict in words; a question of ours is answered, not reproduced."""
        word = self.verdict if self.claim.number else _ANSWERS.get(self.verdict, self.verdict)
        if not self.reasons:
            return word
        waits = self.verdict == claims.INCONCLUSIVE and not any("profile" in reason for reason in self.reasons)
        return f"{word} so far" if waits else f"{word} (indicative)"


def judge(claim: Claim, library: Library, level: float) -> Judged:
    """Evaluate one claim."""
    found = [] if claim.bounds else [r for name in claim.experiments for r in library.results(name)]
    evaluated = rows(claim, found, library.place, level)
    verdict = claims.verdict(claim, [row.outcome for row in evaluated])
    notes = {f"{data['name']} {data['note']}" for r in found for data in r.data if data["note"]}
    return Judged(claim, evaluated, verdict, claims.indicative(claim, evaluated, library.place.profile), sorted(notes))


def number(value: float | None) -> str:
    """Return three significant digits, and words for what is not finite."""
    if value is None or np.isnan(value):
        return ""
    if np.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    short = f"{value:.3g}"
    return f"{float(short):,.0f}" if 1000 <= abs(value) < 1e6 else short


def interval(row: Row) -> str:
    """Return a row's estimate with its interval."""
    if row.interval is None:
        return ""
    value, low, high, _ = row.interval
    return number(value) if low == high == value else f"{number(value)} [{number(low)}, {number(high)}]"


def summary(judged: Judged) -> str:
    """Return what was found in one line: how many comparisons came out how, the range of the quantity, and n."""
    found = [row.interval for row in judged.rows if row.interval is not None]
    if not found:
        return ""
    notes = "".join(f"; {note}" for note in judged.notes)
    if len(judged.rows) == 1:
        return f"{QUANTITIES[judged.claim.quantity]} {interval(judged.rows[0])}, n = {found[0].n}{notes}"
    counts = Counter(row.outcome for row in judged.rows)
    outcomes = ", ".join(f"{counts[key]} {words[counts[key] > 1]}" for key, words in _OUTCOMES.items() if counts[key])
    values, n = [f.value for f in found], span([f.n for f in found])
    between = " to ".join(dict.fromkeys([number(min(values)), number(max(values))]))
    return (
        f"of {len(judged.rows)} {'bounds' if judged.claim.bounds else 'comparisons'} {outcomes}; "
        f"{QUANTITIES[judged.claim.quantity]} {between}, {'settings' if judged.claim.bounds else 'n ='} {n}{notes}"
    )


def verdicts(found: Sequence[Judged]) -> pd.DataFrame:
    """Return id, the claim's number if it is the paper's, figures, verdict, and the verdict in words."""
    lines = [(j.claim.id, j.claim.number or "", " ".join(j.claim.figures or []), j.verdict, j.text) for j in found]
    return pd.DataFrame(lines, columns=["id", "number", "figures", "verdict", "text"])
