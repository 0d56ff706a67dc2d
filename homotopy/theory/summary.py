"""The theory's tables in Markdown: bounds with their measurements, and statements on the paper's text."""

from __future__ import annotations

from typing import Any

import pandas as pd

from homotopy.markdown import table
from homotopy.theory.sgd import Rows
from homotopy.theory.statements import KINDS

READ = (
    'The text read is that of the submission ("Under review as a conference paper at ICLR 2020"). Its figures were not '
    "seen, and what the published version changed is not known to us."
)
_NOT_CONSTANTS = {
    "problem", "C_is", "case", "bound_of", "bound", "measured", "low", "high", "exact", "ratio", "holds", "i", "lam",
    "step_over_admissible", "left", "wrong optimum",
}  # fmt: skip


def _constants(row: pd.Series) -> str:
    kept = [(name, value) for name, value in row.items() if name not in _NOT_CONSTANTS and not pd.isna(value)]
    return ", ".join(f"{name} {value:.3g}" for name, value in kept)


def _together(holds: pd.Series) -> str:
    """Return what is said of several settings at once: that a bound holds only if it surely holds in each of them."""
    return next((said for said in ("no", "undecided") if (holds == said).any()), "yes")


def tightest(rows: pd.DataFrame, bound: str, by: list[str]) -> Rows:
    """Yield, for each group of `rows`, the setting where the bound is tightest, and how many were measured.

    `holds` is said of all of them together.
    """
    for key, group in rows[rows["holds"] != "not claimed"].groupby(by, sort=False):
        row = group.iloc[int(group["ratio"].to_numpy().argmax())]
        yield {
            "bound": bound, "case": ", ".join(map(str, key)), "constants": _constants(row), "value": row["bound"],
            "measured": row["measured"], "low": row["low"], "high": row["high"], "ratio": row["ratio"],
            "loosest": group["ratio"].min(), "holds": _together(group["holds"]), "settings": len(group),
            "violated": int((group["holds"] == "no").sum()),
        }  # fmt: skip


def bounds_table(
    lipschitz: pd.DataFrame, iterates: pd.DataFrame, tracking: pd.DataFrame, local: pd.DataFrame
) -> pd.DataFrame:
    """Gather every bound's tightest settings; of Theorem 3.9 the paths whose steps it admits."""
    allowed = tracking[(tracking["step_over_admissible"] <= 1) & (tracking["i"] > 0)]
    found = [*tightest(lipschitz, "Prop. 3.6", ["problem"])]
    for kind, rows in iterates.groupby("C_is", sort=False):
        found += tightest(rows, f"Prop. 3.7, C {kind}", ["problem"])
    found += tightest(allowed, "Thm 3.9", ["problem"])
    for name, rows in local.groupby("bound_of", sort=False):
        found += tightest(rows, str(name), ["case"])
    return pd.DataFrame(found)


def steps_table(tracking: pd.DataFrame) -> pd.DataFrame:
    """For each problem: the worst error over r^2 along a path with admissible steps, and when the ball is left.

    `inside up to` and `left at` are steps of lam over the admissible one: the largest measured step with which the
    error surely stayed in the ball, and the smallest with which it surely left it (empty if none did).
    """
    found = []
    for problem, rows in tracking[tracking["i"] > 0].groupby("problem", sort=False):
        paths = rows.groupby("gamma")
        worst = rows.loc[paths["ratio"].idxmax()].assign(holds=paths["holds"].agg(_together).to_numpy())
        worst = worst.sort_values("step_over_admissible")
        stayed, left = worst[worst["holds"] == "yes"], worst[worst["holds"] == "no"]
        first = worst.iloc[0]
        found.append(
            {
                "problem": problem, "r": first["bound"] ** 0.5, "admissible step": first["admissible"],
                "gamma": first["gamma"], "error/r^2": first["ratio"],
                "inside up to": stayed["step_over_admissible"].max(), "left at": left["step_over_admissible"].min(),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.3g}"
    return str(value)


def markdown(frame: pd.DataFrame) -> str:
    """Return `frame` as a Markdown table, numbers to three digits."""
    return table(list(frame.columns), [[_cell(value) for value in row] for row in frame.itertuples(index=False)])


def _interval(low: float, high: float) -> str:
    return f"{low:.3g} to {high:.3g}" if high > low else ""


def bounds_text(bounds: pd.DataFrame, steps: pd.DataFrame, repetitions: int) -> str:
    """Return bounds.md: the bounds, and what larger steps do."""
    intervals = [_interval(low, high) for low, high in zip(bounds["low"], bounds["high"], strict=True)]
    shown = bounds.drop(columns=["low", "high"])
    shown.insert(5, "99 % interval", intervals)
    return (
        f"{READ}\n\nExpectations are means over {repetitions:,} independent repetitions, with 99 % intervals (the mean "
        "and 2.58 standard errors either side); maxima and closed forms have none. A row is the setting where the "
        "bound is tightest (ratio = measured/value) among all that were measured, `settings` of them; `loosest` is the "
        "smallest ratio, `violated` counts the settings whose whole interval lies above the bound. Quadratics are "
        "judged by their exact error where it is known (Prop. 3.7). Section G.1 is measured in four readings; only the "
        "one with 1/N in Eq. 32, as in Eq. 12, keeps every other line of it.\n\n"
        f"{markdown(shown)}\nSteps of lam larger than Theorem 3.9 admits, in units of the admissible step:\n\n"
        f"{markdown(steps)}"
    )


def statements_text(statements: pd.DataFrame) -> str:
    """Return statements.md: a table for each kind, and which demonstrations did not come out."""
    parts = [f"{READ}\n"]
    for kind, meaning in KINDS.items():
        rows = statements[statements["kind"] == kind]
        shown = rows[["where", "printed", "comment", "quantity", "by_text", "found"]]
        shown = shown.rename(columns={"comment": "what we say", "quantity": "shown by", "by_text": "by the text"})
        parts.append(f"\n**{kind.capitalize()}** ({len(rows)}): {meaning}.\n\n{markdown(shown)}")
    failed = ", ".join(statements.loc[statements["shown"] != "yes", "row"]) or "none"
    return "".join(parts) + f"\nRows whose demonstration did not come out: {failed}.\n"
