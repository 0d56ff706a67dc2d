"""The report: what saved results say of every claim, as Markdown and as one self-contained HTML page.

The words are in write.md beside this file; every number comes from a result file or from rules.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from homotopy import markdown
from homotopy.config import Config
from homotopy.report import abstract, evidence, finals, overview, predictions, rules, screen, tables, unstated
from homotopy.report.abstract import solvers
from homotopy.report.findings import Findings
from homotopy.report.multiverse import MapCount
from homotopy.report.names import NAMES
from homotopy.report.page import page
from homotopy.report.rules import Claim, Row, Rules
from homotopy.report.verdicts import QUANTITIES, Judged, between, interval, number, percent, seeds, summary, verdicts
from homotopy.results.files import write_atomic, write_csv
from homotopy.results.library import Library, Place, span
from homotopy.results.methods import LABELS, METHODS

TITLE = "Transferring Optimality Across Data Distributions via Homotopy Methods (ICLR 2020)"
EXPECTED = {  # the figures of the experiments that predictions.yaml is about
    "limits": "Where the homotopies end: seeds that solve their task",
    "today": "What people would do today",
    "why": "What happens while networks train at the hardest omega",
}
SENSITIVITY = ("sensitivity", "sensitivity_pairing")
_TEMPLATE = Path(__file__).with_suffix(".md")


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, or a line that says that there is nothing."""
    return markdown.table(head, lines) if lines else "No results yet.\n"


def commands(claim: Claim, library: Library) -> str:
    """Return the commands that make a claim's results."""
    return _code([library.command(name) for name in claim.experiments])


def links(judged: Judged, library: Library) -> str:
    """Return links to the claim's figures that exist, and to its details below; the commands if nothing was run."""
    if not any(row.n for row in judged.rows):
        return f"test it: {commands(judged.claim, library)}; [rule](#{judged.claim.id})"
    drawn = library.place.figures
    figures = [name for name in judged.claim.figures or [] if (drawn / f"{name}.png").exists()]
    return ", ".join([*(f"[{name}](figures/{name}.png)" for name in figures), f"[rows and files](#{judged.claim.id})"])


def verdict_table(found: Sequence[Judged], settings: Mapping[str, str], library: Library) -> str:
    """Return claim, ours, evidence and verdict, a line each; of the paper's also its value and `settings`."""
    paper = all(judged.claim.paper for judged in found)
    lines = []
    for judged in found:
        claim = judged.claim
        what = f"{claim.number}. {claim.claim} ({claim.place})" if paper else claim.claim
        line = [what, claim.paper or "", summary(judged), settings.get(claim.id, ""), links(judged, library)]
        lines.append([*line, judged.cell])
    head = ["claim", "the paper", "ours", "plain settings", "evidence", "verdict"]
    used = [i for i, name in enumerate(head) if paper or name not in ("the paper", "plain settings")]
    return table([head[i] for i in used], [[line[i] for i in used] for line in lines])


def plain_settings(count: MapCount) -> str:
    """Return in how many of the map's plain settings a claim shows, and whether in the default one."""
    run, total = count.run, len(count.ratios)
    if not run:
        return f"0 of {total} run"
    default = "not run" if count.ratios.get(count.default) is None else "yes" if count.shows(count.default) else "no"
    return f"{count.holds} of {run}{'' if run == total else f' ({total - run} not run)'}; the default: {default}"


def details(judged: Judged, library: Library, book: Rules) -> str:
    """Return a claim's rows, rule, files and commands, folded."""
    claim = judged.claim
    sampled = claim.quantity in rules.SAMPLED
    head = [
        "comparison", "ours", "theirs", QUANTITIES[claim.quantity], "seed by seed", "better on",
        "n" if sampled else "measurements" if claim.bounds else "seeds", "outcome", "by the last epoch alone",
        f"without seeds below {book.known}",
    ]  # fmt: skip
    lines = [_detail(row) for row in judged.rows]
    used = [i for i in range(len(head)) if any(line[i] for line in lines)]
    title = f"{f'{claim.number}. ' if claim.number else ''}{NAMES[claim.id]}: {judged.text}"
    text = [f'<a id="{claim.id}"></a>\n\n<details><summary>{title}</summary>\n\n{claim.claim}\n\n']
    text.append(table([head[i] for i in used], [[line[i] for i in used] for line in lines]))
    if sampled:
        level = 100 * rules.row_level(book.level, len(lines))
        text.append(
            f"\nEach interval has {level:.3g} %, so that over all rows those of one kind (of the ratios, seed by seed, "
            f"of the shares) hold together at {100 * book.level:g} %; an outcome needs the first two kinds to agree.\n"
        )
    text += [f"\nBeside it: {remark}.\n" for remark in judged.remarks]
    if judged.notes:
        text.append(f"\nData: {'; '.join(judged.notes)}.\n")
    text.append(f"\nRule: {_rule(claim, book)}. Made by: {commands(claim, library)}.")
    if files := _files(claim, library):
        text.append(f" Read from: {_code(files)}{'' if claim.bounds else ' (`runs.csv.gz` in each)'}.")
    return "".join(text) + "\n\n</details>\n"


def _rule(claim: Claim, book: Rules) -> str:
    margin = [f"margin {number(claim.margin)}"] if claim.margin != 1 else []
    settled = any(part.quantity in ("loss", "speed") for part in claim.parts)
    window = [f"losses settled over {book.window(claim)} epochs"] if settled else []
    threshold = [f"epochs to a loss of {number(claim.threshold)}"] if claim.threshold is not None else []
    half = [f"half way at {number(claim.half)}"] if np.isfinite(claim.half) else []
    source = ["the source's epochs counted"] if claim.count_source else []
    return ", ".join([claim.predicate, *margin, *half, *window, *threshold, *source, f"{claim.combine} rows"])


def _detail(row: Row) -> list[str]:
    label = re.sub(r"\w+", lambda word: LABELS.get(word[0], word[0]), row.label) + (
        f" ({row.note})" if row.note else ""
    )
    share = row.better
    better = f"{percent(share.value)} {between(share.low, share.high)}" if share else ""
    said = [number(row.ours), number(row.theirs), interval(row.ratio), interval(row.paired), better]
    return [label, *said, seeds(row), row.outcome, _beside(row.literal), _beside(row.unseen)]


def _beside(row: Row | None) -> str:
    return "" if row is None else f"{interval(row.ratio)}, n = {row.n}: {row.outcome}"


def _files(claim: Claim, library: Library) -> list[str]:
    folder = library.place.folder
    if claim.bounds:
        path = folder / "theory" / "bounds.csv"
        return [str(path.relative_to(folder))] if path.exists() else []
    compared = evidence.comparisons(claim, library.results(*claim.experiments))
    read = [r for each in compared for r in each.results if not r.curves.empty]
    return sorted({str(r.config.folder.relative_to(folder)) for r in read})


def _code(items: Sequence[str]) -> str:
    return ", ".join(f"`{item}`" for item in items)


def standing(found: Sequence[Judged], place: Place) -> str:
    """Return what profile this is and, where not all of its runs are there, that verdicts are so far."""
    text = f"Profile `{place.profile}`."
    if place.profile != "paper":
        return f"{text} Its budgets are not the paper's: its verdicts are indicative, show where things point, no more."
    if any(judged.so_far for judged in found):
        text += ' A verdict "so far" rests on fewer seeds than are asked for ("8 of 100").'
    return text


def solved_text(found: pd.DataFrame) -> str:
    """Return the table of runs that solve their task, by method."""
    lines = []
    for (name, task, which), rows in found.groupby(["experiment", "task", "seeds"], sort=False):
        by_method = {row["method"]: solvers(row) for row in rows.to_dict("records")}
        of = ", unseen seeds" if which == abstract.UNSEEN else ""
        lines.append([f"{task}, {name}{of}", *(by_method.get(method, "") for method in METHODS)])
    return table(["task", *(LABELS[method] for method in METHODS)], lines)


def figure(name: str, place: Place, caption: str) -> str:
    """Return a figure with its caption if it was drawn."""
    return f"![{caption}](figures/{name}.png)\n\n*{caption}*\n" if (place.figures / f"{name}.png").exists() else ""


def completeness_text(found: pd.DataFrame, place: Place) -> str:
    """Return the table of what is complete, and the command that makes what is missing."""
    head = ["experiment", "complete", "runs", "seeds", "diverged", "hardware", "code"]
    lines = []
    for row in found.to_dict("records"):
        seeds = span([row["least seeds"], row["most seeds"]])
        whole = row["complete"] == row["configurations"]
        line = [f"`{row['experiment']}`", "yes" if whole else f"{row['complete']} of {row['configurations']}"]
        if row["runs"]:
            runs = f"{row['done']:,} of {row['runs']:,}"
            line += [runs, seeds, str(row["diverged"]), row["hardware"], row["code"]]
        lines.append(line + [""] * (len(head) - len(line)))
    everything = (found["complete"] == found["configurations"]).all()
    missing = f"\nWhat is missing is made by `{place.command('NAME')}`, which goes on where it stands.\n"
    return table(head, lines) + ("" if everything else missing)


def _ratio(row: dict[Any, Any]) -> str:
    return f"{number(row['ratio'])} [{number(row['low'])}, {number(row['high'])}]"


def _reached(row: dict[Any, Any]) -> str:
    return f"{number(row['epochs to'])} (loss {number(row['threshold'])})"


def fair_text(found: pd.DataFrame) -> str:
    """Return the fair comparison's table."""
    head = ["task", "method", "n", "epochs with source", "train loss", "test loss", "epochs to", "seconds per run"]
    lines = []
    for row in found.to_dict("records"):
        losses = [number(row["train loss"]), number(row["test loss"])]
        start = [row["task"], LABELS[row["method"]], str(row["n"]), str(row["epochs"])]
        lines.append([*start, *losses, _reached(row), number(row["seconds per run"])])
    hardware = sorted({row["hardware"] for row in found.to_dict("records")} - {""})
    tail = (
        '\n"Epochs to" is to 1.25 times the largest of the methods\' final medians, at most half of the largest first '
        "one: one loss for all methods of a task, where the claims on speed have one for each pair, so that epochs "
        "differ.\n"
    )
    if hardware:
        tail += (
            f"\nSeconds are epochs times what one took on {'; '.join(hardware)}: a run's share of the fastest group of "
            "seeds that trained together, the same for all methods of a task, as an epoch is the same work for each.\n"
        )
    return table(head, lines) + tail


def sensitivity_text(name: str, found: pd.DataFrame, library: Library) -> str:
    """Return an experiment's budget and command, the table of its settings, and which were not run."""
    head = ["setting", "n", *(LABELS[m] for m in METHODS), "better baseline over homotopy", "ordering"]
    lines, missing = [], []
    for row in found.to_dict("records"):
        if not row["ordering"]:
            missing.append(row["setting"])
            continue
        losses = [number(row[method]) for method in METHODS]
        lines.append([f"`{row['setting']}`", str(row["n"]), *losses, _ratio(row), row["ordering"]])
    tail = f"\nNot run, or not by all three methods: {_code(missing)}.\n" if missing and lines else ""
    heading = f"#### {budget(library.jobs(name)[0].config)}\n\nMade by: `{library.command(name)}`.\n\n"
    return heading + table(head, lines) + tail


def predictions_text(found: Sequence[predictions.JudgedPrediction]) -> str:
    """Return the table of some predictions."""
    head = ["experiment", "expected", "how sure", "found", "outcome"]
    lines = [
        [f"`{r['experiment']}`", r["expect"], f"{100 * r['probability']:.0f} %", r["found"], f"**{r['outcome']}**"]
        for r in predictions.frame(found).to_dict("records")
    ]
    return table(head, lines)


def score_text(found: Sequence[predictions.JudgedPrediction], place: Place) -> str:
    """Return how good the predictions were, in profile paper, which alone judges them."""
    if place.profile != "paper":
        return "\nOnly profile `paper` judges; these outcomes are of other budgets.\n"
    decided = [each for each in found if each.decided]
    run = [each for each in found if each.decided or each.whole]
    over = {
        f"over the {len(decided)} lines that are decided": predictions.brier(decided),
        f"over all {len(run)} whose runs are there, an open line with outcome 0": predictions.brier(run),
    }
    scores = "; ".join(f"{score:.2f} {lines}" for lines, score in over.items() if score is not None)
    return f"\nBrier score: {scores}. Always 50 % sure gives 0.25.\n" if scores else ""


def search_text(found: pd.DataFrame) -> str:
    """Return the table of the search for the image studies' settings, the best of a method on a target in bold."""
    head = ["target", "method", "batch", "gamma", "k", "epochs at the end", "train losses", "mean", "test accuracy"]
    lines = []
    for row in found.to_dict("records"):
        path = [str(row[key]) if row["method"] == "homotopy" else "" for key in ("gamma", "k", "final")]
        mean = f"**{row['loss']:.4f}**" if row["best"] else f"{row['loss']:.4f}"
        start = [row["target"], LABELS[row["method"]], str(row["batch"])]
        lines.append([*start, *path, row["losses"], mean, f"{row['accuracy']:.3f}"])
    return table(head, lines)


def budget(of: Config) -> str:
    """Return a configuration's task, epochs and seeds in words."""
    seeds = ", ".join(map(str, of.seeds))
    path = f"gamma {of.schedule.gamma} times k {of.budget.k}, then {of.budget.final}"
    return f"{of.task.label}, {of.epochs:,} epochs ({path}; {of.budget.source} on the source), seeds {seeds}"


def sensitivities(library: Library, experiments: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the table of one setting at a time of each experiment that varies settings."""
    return {name: tables.sensitivity(name, library.jobs(name), library.results(name)) for name in experiments}


def save(found: Findings, complete: pd.DataFrame, sensitivity: Mapping[str, pd.DataFrame]) -> None:
    """Write the tables as CSV into the folder `report`, that of the map beside its figure's data."""
    folder = found.library.place.folder
    frames = {
        "completeness": complete,
        "fair": found.fair,
        "sensitivity": pd.concat(sensitivity.values()),
        "search": found.search,
        "screen": found.screened.table,
        "finals": found.finals,
        "predictions": predictions.frame(found.expected),
        "solved": found.solved,
        "verdicts": verdicts([*found.claims, *found.questions]),
    }
    for name, frame in frames.items():
        write_csv(folder / "report" / f"{name}.csv", frame)
    if not found.unstated.empty:
        write_csv(folder / "map" / "map.csv", found.unstated)


def text(found: Findings, complete: pd.DataFrame, sensitivity: Mapping[str, pd.DataFrame]) -> str:
    """Return the report as Markdown: which experiments are complete, and the tables of those that vary settings."""
    library, book = found.library, found.book
    place = library.place
    expected = [(name, place, caption) for name, caption in EXPECTED.items()]
    fair = figure("fair", place, "Loss against all epochs and against time, and on the test set")
    drawn_map = figure("map", place, "The map of unstated settings")
    settings = {id_: plain_settings(count) for id_, count in found.map_counts.items()}
    settings |= {id_: str(count) for id_, count in screen.counts(found.screened).items()}
    parts = {
        "title": TITLE,
        "standing": standing([*found.claims, *found.questions], place),
        "summary": abstract.text(found.claims, found.questions, found.solved, found.map_counts, book, place),
        "level": f"{100 * book.level:g} %",
        "rules": book.rules,
        "image_rules": book.image_rules,
        "least": str(book.least_seeds),
        "settled": str(book.settled),
        "known": str(book.known),
        "solved": solved_text(found.solved),
        "threshold": number(book.solved),
        "completeness": completeness_text(complete, place),
        "verdicts": verdict_table(found.claims, settings, found.library),
        "overview": figure("overview", place, "The paper's figures, made anew from these results"),
        "details": "\n".join(details(each, library, book) for each in found.claims),
        "fair": f"{fair}\n{fair_text(found.fair)}",
        "map": f"{unstated.text(found.unstated)}\n{drawn_map}".lstrip(),
        "sensitivity": "\n".join(sensitivity_text(name, frame, library) for name, frame in sensitivity.items()),
        "questions": verdict_table(found.questions, {}, found.library),
        "questions_details": "\n".join(details(each, library, book) for each in found.questions),
        "search": search_text(found.search),
        "screen": screen.text(found.screened),
        "finals": finals.text(found.finals),
        "predictions": predictions_text(found.expected) + score_text(found.expected, place),
        "predictions_figures": "\n".join(filter(None, (figure(*each) for each in expected))),
    }
    return Template(_TEMPLATE.read_text()).substitute(parts)


def write(place: Place, experiments: Sequence[str], varied: Sequence[str] = SENSITIVITY) -> list[Path]:
    """Write the report into the profile's folder: its tables, the overview of the figures, the text and the page.

    It says which of `experiments` are complete, and shows those that vary settings (`varied`). Return the paths of
    REPORT.md and REPORT.html.
    """
    library = Library(place)
    found, complete = Findings(library), tables.completeness(library, experiments)
    sensitivity = sensitivities(library, varied)
    save(found, complete, sensitivity)
    overview.draw(place, verdicts([*found.claims, *found.questions]))
    words = text(found, complete, sensitivity)
    contents = {"REPORT.md": words, "REPORT.html": page(words, TITLE, place.folder)}
    for name, content in contents.items():
        write_atomic(place.folder / name, content.encode())
    return [place.folder / name for name in contents]
