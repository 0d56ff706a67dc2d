"""The parts of README.md and docs/ that come from results, so that they cannot go stale.

Each stands between two comments, as a paragraph or within a line, under the name of a function or file below:

    <!-- begin claims -->
    ...
    <!-- end claims -->
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

from scipy import stats

from homotopy import markdown
from homotopy.errors import ResultError
from homotopy.figures import why
from homotopy.report import advice, finals, frontpage, screen, unstated
from homotopy.report.findings import Findings
from homotopy.report.verdicts import interval, number, percent, seeds, summary
from homotopy.report.write import predictions_text, search_text
from homotopy.results.library import distinct
from homotopy.results.methods import LABELS

_BLOCK = re.compile(r"(<!-- begin (\w+) -->)(.*?)(<!-- end \2 -->)", re.DOTALL)
# what is read from results/bench/<machine>.json: a section, the names with which a row begins (* is any text, and of
# several such rows the fastest counts), and a column, counted from the first after the names
_SPEED = {
    "a plain PyTorch loop with its default Adam": ("late", "plain loop", 0),
    "such loops side by side, a process per core": ("late", "plain loop, a process per core*", 0),
    "the loop with the fused Adam": ("late", "plain loop, fused Adam", 0),
    "JAX (jit, vmap and scan) at its best width": ("late", "JAX*", 0),
    "on FashionMNIST, the faster of two loops over a DataLoader": ("images", "FashionMNIST / one seed per core", 1),
    "on CIFAR-10": ("images", "CIFAR10 / one seed per core", 1),
}
_NOT = "not measured"
# ways to train the two networks of the benchmark's sections on images, and what their convolutions take
_IMAGES = {"images": "vgg_small", "images_deep": "vgg16_narrow"}
_TRIED = [
    "the convolutions alone, one seed per core",
    "one seed per core, subnormals kept",
    "one seed per core, bfloat16",
    "one process per core",
    "two seeds as one grouped network per core",
    "all seeds as one grouped network, all cores",
    "one seed after the other, all cores",
    "in memory, channels last, fused Adam",
    "in memory, channels last, fused Adam, torch.compile",
]


def documents() -> list[Path]:
    """Return the README and the pages of docs/."""
    root = Path(__file__).resolve().parents[2]
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def questions(found: Findings) -> str:
    """Return our own questions, what was found, and the answers."""
    lines = [[judged.claim.claim, summary(judged), judged.cell] for judged in found.questions]
    return markdown.table(["question", "ours", "answer"], lines)


def image_rows(found: Findings) -> str:
    """Return every comparison of the claims and questions on images, with what decides its outcome."""
    lines = []
    for judged in (*found.claims, *found.questions):
        for row in judged.rows if judged.claim.measures else []:
            start = [*judged.claim.experiments, *screen.said(judged.claim), row.where]
            better = percent(row.better.value) if row.better else ""
            numbers = [interval(row.ratio), interval(row.paired), better, seeds(row)]
            lines.append([*start, *numbers, f"**{row.outcome}**"])
    head = ["experiment", "ratio", "the rule asks for", "of", "ratio of medians", "seed by seed", "homotopy better on"]
    return markdown.table([*head, "seeds", "outcome"], lines)


def _runs(experiment: str) -> Callable[[Findings], str]:
    """Return what counts an experiment's finished runs, "540 of 600"."""

    def count(found: Findings) -> str:
        results = distinct(found.library.results(experiment))
        return f"{sum(r.seeds for r in results)} of {sum(len(r.config.seeds) for r in results)}"

    return count


def _expected(experiment: str) -> Callable[[Findings], str]:
    """Return what shows the predictions of an experiment and what became of them."""
    return lambda found: predictions_text([each for each in found.expected if each.prediction.experiment == experiment])


def fates(found: Findings) -> str:
    """Return, by method, dead units early, periods fitted at the end, and how the two go together over seeds."""
    lines = []
    early = why.first_step(why.tables(found.library.place, "stations"))
    for method, looks in why.tables(found.library.place, "epochs").items():
        seeds = why.relation(looks, early)
        together = stats.spearmanr(seeds["dead"], seeds["fitted"]).statistic
        shares = [percent(seeds[name].median()) for name in ("dead", "fitted")]
        lines.append([LABELS[method], *shares, f"{together:.2f}"])
    head = [
        "method",
        f"dead units after {early} epochs",
        "periods fitted at the end",
        "rank correlation over seeds",
    ]
    return markdown.table(head, lines)


def inside(found: Findings) -> str:
    """Return, by method, dead units by layer, amplitude at omega and periods from either end, medians at the end."""
    lines: list[list[str]] = []
    layers: list[str] = []
    for method, looks in why.tables(found.library.place, "epochs").items():
        layers = [name for name in map(str, looks) if re.fullmatch(r"dead_\d+", name)]
        last = why.at_the_end(looks).median(numeric_only=True)
        dead = [percent(last[name]) for name in layers]
        lines.append([LABELS[method], *dead, *(f"{last[name]:.3g}" for name in ("amplitude_omega", "front", "back"))])
    head = ["method", *(name.replace("_", " ") for name in layers), "amplitude at omega", "front", "back"]
    return markdown.table(head, lines)


def _file(name: str) -> Callable[[Findings], str]:
    """Return what reads a generated file in the profile's folder."""
    return lambda found: (found.library.place.folder / name).read_text()


def speed(found: Findings) -> str:
    """Return how many times ours the time of the alternatives is, a column for each machine that was measured."""
    measured = _measured(found)
    lines = [[name, *(_fastest(each, *where) or _NOT for each in measured.values())] for name, where in _SPEED.items()]
    return markdown.table(["times as fast, per seed, as", *measured], lines)


def images_tried(found: Findings) -> str:
    """Return the time of ways to train on FashionMNIST and CIFAR-10, a column for each machine that tried them."""
    measured = {name: sections for name, sections in _measured(found).items() if _IMAGES.keys() & sections.keys()}
    lines = []
    for section, network in _IMAGES.items():
        for way in _TRIED:
            names = [f"{target} / {way}" for target in ("FashionMNIST", "CIFAR10")]
            times = [[_fastest(each, section, name, 0) for name in names] for each in measured.values()]
            lines.append([network, way, *(", ".join(both) if all(both) else _NOT for both in times)])
    return markdown.table(["network", "way", *measured], lines)


def _measured(found: Findings) -> dict[str, dict[str, list]]:
    """Return the benchmark's rows by section, of each machine."""
    files = sorted((found.library.place.results / "bench").glob("*.json"))
    return {file.stem: {s["name"]: s["rows"] for s in json.loads(file.read_text())["sections"]} for file in files}


def _fastest(sections: Mapping[str, list], section: str, names: str, column: int) -> str:
    """Return the least number in a column of a section's rows with these names, nothing where there is none."""
    values = []
    for row in sections.get(section, []):
        words = list(takewhile(lambda cell: isinstance(cell, str), row))
        if fnmatchcase(" / ".join(words), names) and len(row) > len(words) + column:
            cell = row[len(words) + column]
            values.append(cell["median"] if isinstance(cell, dict) else cell)
    return number(min(values)) if values else ""


BLOCKS: dict[str, Callable[[Findings], str]] = {
    "findings": frontpage.findings,
    "claims": frontpage.claims,
    "later_seeds": frontpage.later_seeds,
    "advice": advice.advice,
    "questions": questions,
    "speed": speed,
    "images_tried": images_tried,
    "runs_fig3a": _runs("fig3a"),
    "runs_fig3b": _runs("fig3b"),
    "runs_slow_fashion": _runs("slow_fashion"),
    "runs_glorot_fashion": _runs("glorot_fashion"),
    "runs_slow_cifar": _runs("slow_cifar"),
    "runs_first_fashion": _runs("first_fashion"),
    "runs_first_cifar": _runs("first_cifar"),
    "map": lambda found: unstated.text(found.unstated),
    "search": lambda found: search_text(found.search),
    "screen": lambda found: screen.text(found.screened),
    "image_rows": image_rows,
    "finals": lambda found: finals.text(found.finals),
    "expected_frequency": _expected("frequency"),
    "expected_limits": _expected("limits"),
    "expected_schedules": _expected("schedules"),
    "expected_today": _expected("today"),
    "expected_why": _expected("why"),
    "fates": fates,
    "inside": inside,
    "bounds": _file("theory/bounds.md"),
    "statements": _file("theory/statements.md"),
    "share_that_left": lambda found: found.cell("theory/local.csv", "left", M=1, smallest_M=15, alpha=0.0552072),
    "share_outside_next_ball": lambda found: found.cell("theory/statements.csv", "found", row="gap"),
}


def _content(name: str, found: Findings) -> str:
    if name not in BLOCKS:
        raise ResultError(f"block {name}: must be one of {', '.join(BLOCKS)}")
    try:
        text = BLOCKS[name](found).strip()
    except (ResultError, OSError, LookupError, ValueError, StopIteration) as error:
        raise ResultError(f"block {name}: {found.library.place.folder} does not have it ({error})") from error
    return f"\n{text}\n" if "\n" in text else text


def _blocks(text: str) -> list[tuple[str, str]]:
    """Return the name of every block and what it shows; raise ResultError if one has no end."""
    blocks = [(name, shown) for _, name, shown, _ in _BLOCK.findall(text)]
    begun = re.findall(r"<!-- begin (.*?) -->", text)
    if begun != [name for name, _ in blocks]:
        raise ResultError(f"blocks begin as {', '.join(begun)}, and not each ends as <!-- end NAME -->")
    return blocks


def stale(text: str, found: Findings) -> list[str]:
    """Return the names of the blocks that do not show what the results say."""
    return [name for name, shown in _blocks(text) if shown != _content(name, found)]


def updated(text: str, found: Findings) -> str:
    """Return a document with every block as the results have it."""
    _blocks(text)
    return _BLOCK.sub(lambda block: f"{block[1]}{_content(block[2], found)}{block[4]}", text)
