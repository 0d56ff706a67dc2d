"""The map's table: how the methods end in every plain setting of what the paper leaves unstated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from homotopy import markdown
from homotopy.report.evidence import final_losses
from homotopy.report.tables import MARGIN
from homotopy.results.library import Result
from homotopy.results.methods import BASELINES, LABELS, METHODS
from homotopy.results.statistics import median, ratio
from homotopy.results.unstated import OMEGAS, by_setting


def table(found: Sequence[Result]) -> pd.DataFrame:
    """Return a row per setting: at both omegas the methods' median settled losses on the same seeds, and the lead.

    The homotopy's lead is the better baseline's median over the homotopy's, nan where a method was not run. The table
    is empty where no setting was run at any omega with all methods.
    """
    settings = by_setting(found)
    rows = []
    for setting, by_omega in settings.items() if any(settings.values()) else ():
        row: dict[str, Any] = setting._asdict()
        for omega in OMEGAS:
            losses = final_losses(list(by_omega.get(omega, {}).values()))
            medians = {name: float(median(each)) for name, each in losses.items()}
            row |= {f"{name} {omega:g}": medians.get(name, np.nan) for name in METHODS}
            best = min(row[f"{name} {omega:g}"] for name in BASELINES)
            row[f"lead {omega:g}"] = float(ratio(best, row[f"homotopy {omega:g}"]))
        rows.append(row)
    return pd.DataFrame(rows)


def text(summary: pd.DataFrame) -> str:
    """Return the table for readers, and in how many settings the homotopy leads; nothing where it is empty."""
    if summary.empty:
        return ""
    columns = {f"{m} {omega:g}": f"{LABELS[m]}, {omega:g}" for omega in OMEGAS for m in METHODS}
    columns |= {f"lead {omega:g}": f"lead, {omega:g}" for omega in OMEGAS}
    lines = []
    for _, row in summary.iterrows():
        shown = ["not run" if np.isnan(row[column]) else f"{row[column]:.2g}" for column in columns]
        lines.append([row["init"], f"{row['noise']:g}", f"{row['batch_size']}", *shown])
    head = ["initialisation", "noise", "batch", *columns.values()]
    return markdown.table(head, lines) + "\n" + "".join(_count_leads(summary, omega) for omega in OMEGAS)


def _count_leads(summary: pd.DataFrame, omega: float) -> str:
    leads = summary[f"lead {omega:g}"].dropna()
    return (
        f"- omega {omega:g}: the homotopy ends below both baselines by a factor of {MARGIN:g} or more in "
        f"{int((leads >= MARGIN).sum())} of {len(leads)} settings.\n"
    )
