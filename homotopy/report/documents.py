"""Keeps the documents' numbers equal to the results: each stands between two comments that say where it comes from.

    <!-- value: claim.two-orders.omega 137.interval -->72.1 [50, 90]<!-- /value -->

Keys, all but the benchmark's of one profile's results:

    claim.ID.verdict              the verdict in words
    claim.ID.holds                how many rows hold, "6 of 8"
    claim.ID.least, claim.ID.most the smallest and largest estimate of its rows
    claim.ID.ROW.FIELD            of the first row whose label starts with ROW: n ("8 of 100" until it has all), ours,
                                  theirs, outcome; of its ratio value, low, high, and interval (all three); paired and
                                  better, the other intervals; literal, the ratio by the last epoch alone
    loss.EXPERIMENT.TASK.METHOD   the median settled loss on the target, such as loss.fig1.sine-omega137.homotopy
    seeds.EXPERIMENT              the seeds behind every configuration, "100" or "7 to 100"
    runs.EXPERIMENT               finished runs, "540 of 600"
    csv PATH [COLUMN=VALUE, ...] COLUMN   a cell of the first such line of a CSV file in the profile's folder
    csv PATH [COLUMN=VALUE, ...] count    the number of such lines
    bench MACHINE SECTION [NAME / ...] N   the Nth number, or its median, of that row of bench/MACHINE.json; the least
                                  of several rows, where * in a name is any text
    table.verdicts                all claims with what was found and their verdicts, as a table
    table.questions               the same for our own questions

A generated file is included whole, its path seen from the document:

    <!-- begin results/paper/map/map.md -->
    ...
    <!-- end -->
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from itertools import chain, takewhile
from pathlib import Path

import pandas as pd

from homotopy import markdown
from homotopy.errors import ResultError
from homotopy.report import rules, verdicts
from homotopy.report.verdicts import Judged, number
from homotopy.results import summary
from homotopy.results.library import Library, span

_MARKED = re.compile(r"(<!-- value: (.*?) -->)(.*?)(<!-- /value -->)", re.DOTALL)
_INCLUDED = re.compile(r"(<!-- begin (\S+) -->\n)(.*?)(\n?<!-- end -->)", re.DOTALL)
_BENCH = re.compile(r"bench (\S+) (\S+) \[(.*?)\] (\d+)")
_CSV = re.compile(r"csv (\S+) \[(.*?)\] (.+)")


def documents() -> list[Path]:
    """Return the README and the pages of docs/."""
    root = Path(__file__).resolve().parents[2]
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


class Values:
    """Looks up the value of a key."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._book = rules.read()
        self._judged: dict[str, Judged] = {}

    def __getitem__(self, key: str) -> str:
        """Return a value as a document shows it; raise ResultError for a key that means nothing."""
        if found := _CSV.fullmatch(key):
            return self._cell(*found.groups())
        if found := _BENCH.fullmatch(key):
            return self._bench(*found.groups())
        kind, _, rest = key.partition(".")
        kinds: dict[str, Callable[[str], str]] = {
            "claim": self._claim, "loss": self._loss, "seeds": self._seeds, "runs": self._runs, "table": self._table,
        }  # fmt: skip
        if kind not in kinds:
            raise ResultError(f"value {key}: must start with {', '.join(kinds)}, csv or bench")
        try:
            return kinds[kind](rest)
        except (KeyError, ValueError, IndexError, StopIteration) as error:
            raise ResultError(f"value {key}: means nothing in {self._library.place.folder} ({error})") from error

    def _judge(self, name: str) -> Judged:
        if name not in self._judged:
            claim = next(claim for claim in self._book.claims + self._book.questions if claim.id == name)
            self._judged[name] = verdicts.judge(claim, self._library, self._book)
        return self._judged[name]

    def _claim(self, rest: str) -> str:
        name, _, what = rest.partition(".")
        judged = self._judge(name)
        if what == "verdict":
            return judged.text
        if what == "holds":
            return f"{sum(row.outcome == rules.HOLDS for row in judged.rows)} of {len(judged.rows)}"
        if what in ("least", "most"):
            values = [row.ratio.value for row in judged.rows if row.ratio is not None]
            return number(min(values) if what == "least" else max(values))
        label, _, field = what.rpartition(".")
        row = next(row for row in judged.rows if row.label.startswith(label))
        if field in ("outcome", "n"):
            return row.outcome if field == "outcome" else verdicts.seeds(row)
        if row.ratio is None:
            raise ValueError(f"no {field}")
        if field in ("value", "low", "high"):
            return number(getattr(row.ratio, field))
        shown = {
            "interval": lambda: verdicts.interval(row.ratio),
            "paired": lambda: verdicts.interval(row.paired),
            "better": lambda: verdicts.interval(row.better),
            "literal": lambda: verdicts.interval((row.literal or row).ratio),
            "ours": lambda: number(row.ours),
            "theirs": lambda: number(row.theirs),
        }
        return shown[field]()

    def _loss(self, rest: str) -> str:
        experiment, task, method = rest.split(".")
        for found in self._library.results(experiment):
            if (found.config.task.label, found.config.method.name) == (task, method) and not found.curves.empty:
                return number(summary.loss(found))
        raise ValueError("no such runs")

    def _seeds(self, experiment: str) -> str:
        return span([found.seeds for found in self._library.results(experiment)])

    def _runs(self, experiment: str) -> str:
        results = self._library.results(experiment)
        return f"{sum(r.seeds for r in results)} of {sum(len(r.config.seeds) for r in results)}"

    def _table(self, name: str) -> str:
        asked = {"verdicts": self._book.claims, "questions": self._book.questions}[name]
        numbered = name == "verdicts"  # questions have no number
        lines = []
        for found in (self._judge(claim.id) for claim in asked):
            number_of = [str(found.claim.number)] * numbered
            lines.append([*number_of, found.claim.claim, verdicts.summary(found), found.cell])
        return "\n" + markdown.table([*[""] * numbered, "claim", "ours", "verdict"], lines)

    def _bench(self, machine: str, section: str, row: str, column: str) -> str:
        file = self._library.place.results / "bench" / f"{machine}.json"
        if not file.exists():
            raise ResultError(f"value bench {machine}: there is no {file}")
        rows = [found["rows"] for found in json.loads(file.read_text())["sections"] if found["name"] == section]
        found = []
        for cells in chain.from_iterable(rows):
            names = list(takewhile(lambda cell: isinstance(cell, str), cells))
            if fnmatchcase(" / ".join(names), row) and 1 <= int(column) <= len(cells) - len(names):
                cell = cells[len(names) + int(column) - 1]
                found.append(cell["median"] if isinstance(cell, dict) else cell)
        if not found:
            raise ResultError(f"value bench {machine} {section} [{row}] {column}: there is no such cell")
        return number(min(found))

    def _cell(self, path: str, where: str, column: str) -> str:
        file = self._library.place.folder / path
        if not file.exists():
            raise ResultError(f"value csv {path}: there is no {file}")
        frame = pd.read_csv(file)
        for condition in filter(None, where.split(", ")):
            name, _, value = condition.partition("=")
            if name not in frame:
                raise ResultError(f"value csv {path}: has no column {name}")
            frame = frame[frame[name].astype(str) == value]
        if column == "count":
            return str(len(frame))
        if column not in frame or frame.empty:
            raise ResultError(f"value csv {path} [{where}] {column}: there is no such cell")
        cell = frame[column].iloc[0]
        return number(float(cell)) if isinstance(cell, float) else str(cell)


def included(name: str, folder: Path) -> str:
    """Return a generated file as a document shows it; raise ResultError if it is not there."""
    path = folder / name
    if not path.exists():
        raise ResultError(f"{name}: there is no {path}")
    return path.read_text().strip()


def updated(text: str, values: Values, folder: Path) -> str:
    """Return `text`, a document in `folder`, with every marked value and included file as the results have them."""
    text = _INCLUDED.sub(lambda found: f"{found[1]}{included(found[2], folder)}\n<!-- end -->", text)
    return _MARKED.sub(lambda found: found[1] + values[found[2]] + found[4], text)


def stale(text: str, values: Values, folder: Path) -> list[str]:
    """Return a line for every marked value and included file that is not the results'."""
    lines = [f"{name}: has changed" for _, name, shown, _ in _INCLUDED.findall(text) if shown != included(name, folder)]
    for _, key, shown, _ in _MARKED.findall(text):
        if shown != values[key]:
            lines.append(f"{key}: shows {shown.strip()!r}, the results say {values[key].strip()!r}")
    return lines
