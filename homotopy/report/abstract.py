"""The report's first half page: what was found, in sentences whose numbers are read from results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isclose, isnan
from typing import Any, NamedTuple

import pandas as pd

from homotopy.report import evidence, rules, screen
from homotopy.report.multiverse import MapCount
from homotopy.report.rules import Claim, Row, Rules
from homotopy.report.verdicts import Judged, between, interval, number, seeds, tally
from homotopy.results.files import METADATA
from homotopy.results.folder import RunFolder
from homotopy.results.library import Library, Place, by_task
from homotopy.results.methods import METHODS
from homotopy.results.unstated import INITIALISATIONS, Setting

SINES, ANNEALED = "fig2a", "fig2b"
HARDEST = 137.0  # omega
LARGEST = "two-orders"
WITH_ANNEALING = "annealed"
PARTS = ("path-alone", "source-solution", "more-than-amplitude")  # our questions on what of the homotopy helps
# how a sentence calls what an experiment on images trains on
IMAGES = {
    "fig3a": "FashionMNIST",
    "slow_fashion": "FashionMNIST in a network where random initialisation is slow",
    "glorot_fashion": "FashionMNIST in VGG-16 with Glorot's initialisation",
    "fig3b": "CIFAR-10",
    "slow_cifar": "CIFAR-10 in a network where random initialisation is slow",
}
# how a sentence calls the methods
NAMES = {"homotopy": "the homotopy", "warmstart": "warm start", "random": "random initialisation"}
ALL, UNSEEN = "all", "unseen"  # seeds, and those whose results were not known when the rules were written
POOLED = {"hard-tasks": "hard sine tasks", "easy-tasks": "easy sine tasks"}


class Spent(NamedTuple):
    """What the runs in a profile's folder took: `hours` are sums over groups of seeds that trained together."""

    runs: int
    hours: float
    hardware: list[str]


def solved(library: Library, book: Rules) -> pd.DataFrame:
    """Return, for each sine task and method, how many of n seeds solve it, the share, and its exact interval.

    `seeds` is all, or unseen: those whose results nobody knew when the rules were written, where there are such.
    """
    rows = []
    for name in (SINES, ANNEALED):
        for group in by_task(library.results(name)):
            for which, first in {ALL: 0, UNSEEN: book.known}.items():
                shares = evidence.solved(group, book, first)
                for method in (name for name in METHODS if name in shares):
                    share, low, high, n = shares[method]
                    start = {"experiment": name, "task": group[0].config.task.label, "method": method, "seeds": which}
                    end = {"n": n, "solved": round(share * n), "share": share, "low": low, "high": high}
                    rows.append(start | end)
    columns = ["experiment", "task", "method", "seeds", "n", "solved", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def solvers(row: Mapping[Any, Any]) -> str:
    """Return how many of how many runs solve a task, with the interval of the share."""
    return f"{row['solved']} of {row['n']} {between(row['low'], row['high'])}"


def spent(place: Place) -> Spent:
    """Return what all runs in a profile's folder took, from their metadata."""
    known = [RunFolder(path.parent).metadata() for path in sorted(place.folder.glob(f"*/*/{METADATA}"))]
    records = [record for metadata in known for record in metadata["records"]]
    seconds = sum(record.get("seconds", 0) for record in records)
    hardware = sorted({record["hardware"] for record in records if record.get("hardware")})
    return Spent(sum(len(metadata["seeds"]) for metadata in known), seconds / 3600, hardware)


def solving(found: pd.DataFrame, omega: float, seeds: str = ALL) -> list[dict[Any, Any]]:
    """Return the rows of `solved` on a sine task at a constant step size, the homotopy's first."""
    task = f"sine-omega{omega:g}"
    rows = found[(found["experiment"] == SINES) & (found["task"] == task) & (found["seeds"] == seeds)]
    return rows.to_dict("records")[::-1]


def headline(found: pd.DataFrame, book: Rules) -> str:
    """Return the sentences that come first: which share of runs solves the hardest task, by method."""
    every, unseen = (
        [f"{NAMES[row['method']]} solves {solvers(row)}" for row in solving(found, HARDEST, which)]
        for which in (ALL, UNSEEN)
    )
    if not every:
        return "No run at omega 137 by all three methods is there yet."
    said = (
        f"Of Figure 1's runs at omega 137 {', '.join(every)}; a run solves it that ends with a settled train loss "
        f"below {number(book.solved)}, and in brackets stands the exact {100 * book.level:g} % interval of the share."
    )
    also = f" Of the seeds that nobody had seen when the rules were written {', '.join(unseen)}."
    return said + also if unseen else said


def ratios(found: Sequence[Judged]) -> list[str]:
    """Return a sentence on the hard and on the easy tasks together."""
    lines = []
    for judged in found:
        if judged.claim.id in POOLED:
            (row,) = judged.rows
            where = row.where.removesuffix(" together")
            if row.ratio is None:
                lines.append(f"On the {POOLED[judged.claim.id]} ({where}) nothing was run yet.")
                continue
            lines.append(
                f"On the {POOLED[judged.claim.id]} ({where}) the better baseline's median loss is "
                f"{interval(row.ratio)} times the homotopy's, seed by seed {interval(row.paired)} times "
                f"(n = {seeds(row)}): {row.outcome}."
            )
    return lines


def largest(found: Sequence[Judged]) -> list[str]:
    """Return a sentence on the largest lead over both baselines."""
    for judged in found:
        rows = [row for row in judged.rows if row.ratio and not isnan(row.ratio.value)]
        if judged.claim.id == LARGEST and rows:
            most = max(rows, key=lambda row: row.ratio.value if row.ratio else 0)
            return [
                f"The largest lead over both baselines, at {most.where}, is by a factor of {interval(most.ratio)} "
                f"(n = {seeds(most)}; the interval is for all {len(judged.rows)} comparisons of that claim); there two "
                f"orders of magnitude, which means {judged.claim.margin:g} or more, are {_reached(most.outcome)}."
            ]
    return []


def _reached(outcome: str) -> str:
    return {rules.HOLDS: "reached", rules.HALF: "not shown, one is", rules.SHORT: "not reached"}.get(outcome, "open")


def ahead(judged: Judged) -> str:
    """Return by how many times the homotopy ends below its opponents, and whether the rows hold."""
    rows = [row for row in judged.rows if row.ratio]
    if not rows:
        return "Not run yet."
    ends = [f"{NAMES.get(row.against, 'the better baseline')} ends at {interval(row.ratio)} times" for row in rows]
    said = f"At {rows[0].where} {' and '.join(ends)} the homotopy's median loss "
    said += f"({_outcomes(rows)}; {seeds(rows[0])} seeds)."
    return said + _unseen([row.unseen for row in rows if row.unseen and row.unseen.ratio])


def _unseen(rows: Sequence[Row]) -> str:
    """Return what the seeds say alone whose results nobody knew when the rules were written; nothing without such."""
    if not rows:
        return ""
    ends = " and ".join(f"{interval(row.ratio)} times" for row in rows)
    seen = f" On the {rows[0].n} seeds of them that nobody had seen when the rules were written"
    return f"{seen}: {ends} ({_outcomes(rows)})."


def _outcomes(rows: Sequence[Row]) -> str:
    return " and ".join(dict.fromkeys(row.outcome for row in rows))


def helps(found: Mapping[str, Judged]) -> str:
    """Return, for the hardest task, what the path does alone, what the source solution, and a path without a source.

    `found` has the questions of `PARTS`.
    """
    path, source, amplitude = (
        next(row for row in found[id_].rows if row.where == f"omega {HARDEST:g}") for id_ in PARTS
    )
    if not (path.ratio and source.ratio and amplitude.ratio):
        return "Not run yet."
    return (
        f"At {path.where} random initialisation ends at {interval(path.ratio)} times the median "
        f"loss of a homotopy that starts from random weights, too ({path.outcome}), which ends at "
        f"{interval(source.ratio)} times that of the homotopy from the source solution ({source.outcome}). A path that "
        f"only scales the target's amplitude, from random weights, ends at {interval(amplitude.ratio)} times the "
        f"median loss of the homotopy from the source solution ({amplitude.outcome}; {seeds(amplitude)} seeds)."
    )


def dependence(counts: Mapping[str, MapCount]) -> list[str]:
    """Return sentences on how the lead at the map's hardest omega depends on what the paper leaves unstated."""
    hard = counts.get("hard-tasks")
    if hard is None or not hard.run:
        return ["The map of plain settings was not run."]
    default, default_ratio = hard.default, hard.ratios.get(hard.default)
    near = [
        each
        for each in hard.ratios
        if each.init == default.init and (each.noise == default.noise) != (each.batch_size == default.batch_size)
    ]
    of = "" if hard.run == len(hard.ratios) else f" that were run, of {len(hard.ratios)},"
    changed = "; ".join(f"{_change(each, default)} the factor is {_times(hard.ratios[each])}" for each in near)
    return [
        f"How far the homotopy leads at omega {HARDEST:g} varies with what the paper leaves unstated. The map trains "
        "plain settings of initialisation, noise and batch size, on a few seeds that no figure uses: medians without "
        "intervals, which decide nothing. In "
        f"{hard.holds} of its {hard.run} settings{of} the better baseline's median loss is at least "
        f"{number(hard.margin)} times the homotopy's ({_by_initialisation(hard)}); only PyTorch's has random biases, "
        "the others begin without. In the default setting, which was chosen on some of these seeds because it showed "
        f"the paper's ordering on an earlier, shorter map, the factor is {_times(default_ratio)} on the map's seeds. "
        f"{changed[:1].upper()}{changed[1:]}."
    ]


def _by_initialisation(hard: MapCount) -> str:
    run = [setting for setting, ratio in hard.ratios.items() if ratio is not None]
    shown = Counter(setting.init for setting in run if hard.shows(setting))
    asked = Counter(setting.init for setting in run)
    said = [f"{INITIALISATIONS[init]}'s {shown[init]} of {n}" for init, n in asked.items()]
    return "; ".join(said).replace("'s ", "'s initialisation ", 1)


def _change(setting: Setting, default: Setting) -> str:
    if setting.noise == default.noise:
        return f"with batches of {setting.batch_size} instead of {default.batch_size}"
    why = " (the paper's number read as a variance)" if isclose(setting.noise**2, default.noise) else ""
    return f"with noise of standard deviation {setting.noise:g}{why} instead of {default.noise:g}"


def _times(ratio: float | None) -> str:
    return "not known" if ratio is None else number(ratio)


def images(found: Sequence[Judged]) -> list[str]:
    """Return what is compared on images, the mean loss over all epochs, and then a sentence for each target."""
    said = []
    for name, target in IMAGES.items():
        of = [judged for judged in found if name in judged.claim.experiments]
        rows = [
            (judged.claim, row) for judged in of for row in judged.rows if row.where.startswith("area") and row.ratio
        ]
        if rows:
            means = [f"{_arm(row)} {interval(row.ratio)} ({_asked(claim)}: {row.outcome})" for claim, row in rows]
            notes = dict.fromkeys(note for judged in of for note in judged.notes)
            said.append(f"On {target}: {', '.join(means)}; {'; '.join([f'{seeds(rows[0][1])} seeds', *notes])}.")
    if not said:
        return ["The images were not run yet."]
    meant = "each baseline's geometric mean of the loss over all epochs, as a multiple of the homotopy's"
    return [f"What follows is {meant}: below 1 the baseline is ahead.", *said]


def _arm(row: Row) -> str:
    """Return an opponent's name and where it was compared, "warm start (source 5)"."""
    _, _, where = row.where.partition(", ")
    return NAMES[row.against] + (f" ({where})" if where else "")


def _asked(claim: Claim) -> str:
    """Return what the rule of a claim on images wants of its ratio, "the rule asks for at least 1.1"."""
    return f"the rule asks for {screen.said(claim)[1]}"


def cost(place: Place) -> str:
    """Return the sentence on the compute spent."""
    runs, hours, hardware = spent(place)
    on = f" on {'; '.join(hardware)}" if hardware else ""
    took = f"The {runs:,} runs in this folder took {number(hours)} hours{on}"
    return f"{took}, without the training of source solutions; processes side by side are added up."


def text(
    claims: Sequence[Judged],
    questions: Sequence[Judged],
    solves: pd.DataFrame,
    counts: Mapping[str, MapCount],
    book: Rules,
    place: Place,
) -> str:
    """Return the sentences as a list."""
    named = {judged.claim.id: judged for judged in (*claims, *questions)}
    lines = [headline(solves, book), *ratios(claims), f"With cosine annealing: {_lower(ahead(named[WITH_ANNEALING]))}"]
    lines += [*largest(claims), *dependence(counts), f"What of it helps: {_lower(helps(named))}"]
    lines += [nested(images([*claims, *questions])), f"The paper's claims, by kind: {tally(claims)}.", cost(place)]
    return "".join(f"- {line}\n" for line in lines)


def nested(sentences: Sequence[str]) -> str:
    """Return sentences as an item of a Markdown list, those after the first as a list inside it."""
    return "\n  - ".join(sentences)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
