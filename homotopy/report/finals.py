"""What Figures 3a and 3b come to, and what stands beside them: the medians that the claims on images are about."""

from __future__ import annotations

import pandas as pd

from homotopy import markdown
from homotopy.config import Config
from homotopy.report import screen
from homotopy.report.rules import MEASURES, Rules
from homotopy.report.screen import FINAL, Case
from homotopy.report.verdicts import number, of_asked, percent
from homotopy.results import images
from homotopy.results.library import Library, distinct
from homotopy.results.methods import LABELS

# each target's other experiments
BESIDE = {"FashionMNIST": ("slow_fashion", "glorot_fashion", "first_fashion"), "CIFAR10": ("slow_cifar", "first_cifar")}
_MEASURED = [*MEASURES, "objective", "accuracy"]


def table(library: Library, book: Rules) -> pd.DataFrame:
    """Return the medians of what the claims on images measure, a row for each experiment and method.

    `n` of `asked` seeds stand behind a row; what has none has no row. The columns are those of the screen's table.
    """
    claims = screen.claims_by_target(book)
    rows = [
        {"experiment": name, "method": found.config.method.name, "asked": len(found.config.seeds)}
        | screen.case_of(found.config)._asdict()
        | screen.measured(found, claims[target], book)
        | {"setting": _setting(found.config)}
        for target, final in FINAL.items()
        for name in (final, *BESIDE[target])
        for found in distinct(library.results(name))
        if not found.curves.empty
    ]
    return pd.DataFrame(rows, columns=["experiment", *Case._fields, "method", "setting", "n", "asked", *_MEASURED])


def _setting(of: Config) -> str:
    """Return the screen's words, and for a path the epochs on the source before it, which the screen did not vary."""
    words = images.setting(of)
    return f"{words}, source {of.budget.source}" if of.method.path == "schedule" else words


def text(found: pd.DataFrame) -> str:
    """Return the table as Markdown, the accuracy in percent."""
    if found.empty:
        return "No results yet.\n"
    lines = []
    for row in found.to_dict("records"):
        words = [row[name] for name in ("experiment", *Case._fields)]
        numbers = [*(number(row[name]) for name in _MEASURED[:-1]), percent(row["accuracy"])]
        lines.append([*words, LABELS[row["method"]], row["setting"], of_asked(row["n"], row["asked"]), *numbers])
    head = ["experiment", "target", "network", "initialisation", "method", "setting", "seeds", *_MEASURED]
    return markdown.table(head, lines)
