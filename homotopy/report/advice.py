"""The README's table "Should I use it?": five cases, what the runs say of each, and the command that shows it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from homotopy import markdown
from homotopy.report import abstract, screen
from homotopy.report.abstract import HARDEST, NAMES
from homotopy.report.findings import Findings
from homotopy.report.verdicts import interval
from homotopy.results import solved
from homotopy.results.methods import METHODS

EASY, HARD = 74.0, (116.0, HARDEST)
CHANGES = {  # arms of experiment=today, and how the table calls them
    "standardised input": "standardised input",
    "Fourier features": "Fourier features",
    "sine activations": "sine activations at a constant step size (learned early and lost again)",
    "sine activations and annealing": "sine activations and annealing",
}
ON_IMAGES = "screen_fashion,screen_glorot,screen_cifar,fig3a,fig3b,slow_fashion,glorot_fashion,slow_cifar"
NOT_RUN = "not run"


def advice(found: Findings) -> str:
    """Return the table."""
    lines = [
        ("random weights learn it", "Hardly", _easy(found), "fig2a"),
        ("they do not, and network and input must stay as they are", "Worth a try", _hard(found), "fig1,fig8"),
        ("the task has a parameter that can move", "Move it where mixing fails", _moving(found), "frequency,limits"),
        ("network or input may change", "Change these first", _changed(found), "today"),
        ("it is made of images", "Where random weights are slow, perhaps", _images(found), ON_IMAGES),
    ]
    rows = [
        [
            case,
            *(["", "Not run yet."] if NOT_RUN in said else [short, said]),
            f"`python scripts/train.py experiment={name} profile=paper`",
        ]
        for case, short, said, name in lines
    ]
    return markdown.table(["your target", "in short", "what the runs say", "command"], rows)


def _table(found: Findings, experiment: str) -> pd.DataFrame:
    """Return how many seeds of what an experiment has solve their task."""
    there = [each for each in found.library.results(experiment) if each.seeds]
    return solved.table(there, found.book.solved)


def _solving(table: pd.DataFrame, omega: float, method: str, arm: str = "default") -> str:
    """Return how many of how many runs solve a task."""
    rows = table[(table["omega"] == omega) & (table["method"] == method) & (table["arm"] == arm)]
    return f"{rows['solved'].iloc[0]} of {rows['n'].iloc[0]}" if len(rows) else NOT_RUN


def _all_three(solves: Mapping[str, str]) -> str:
    """Return in words how many runs of each method solve a task."""
    random, warm, homotopy = (solves[method] for method in METHODS)
    return f"random initialisation solves {random}, warm start {warm}, the homotopy {homotopy}"


def _of_the_paper(found: Findings, omega: float) -> dict[str, str]:
    """Return, by method, how many of the seeds that all methods have solve a task of the paper."""
    there = {row["method"]: f"{row['solved']} of {row['n']}" for row in abstract.solving(found.solved, omega)}
    return dict.fromkeys(METHODS, NOT_RUN) | there


def _easy(found: Findings) -> str:
    solves, (row,) = _of_the_paper(found, EASY), found.named("easy-tasks").rows
    speed = [row for row in found.named("sine-faster").rows if row.where == f"omega {EASY:g}" and row.ratio]
    epochs = [
        f"{NAMES[each.against]} needs {interval(each.ratio)} times the homotopy's epochs ({each.outcome})"
        for each in speed
    ]
    return (
        f"At omega {EASY:g} {_all_three(solves)}. At {row.where} the better baseline's median loss is "
        f"{interval(row.ratio) or NOT_RUN} times the homotopy's ({row.outcome}). To come to a loss that both reach at "
        f"omega {EASY:g}, {' and '.join(epochs) or NOT_RUN}."
    )


def _hard(found: Findings) -> str:
    there = {omega: _of_the_paper(found, omega) for omega in HARD}
    return " ".join(
        f"At omega {omega:g} the homotopy solves {solves['homotopy']}, warm start {solves['warmstart']}, random "
        f"initialisation {solves['random']}."
        for omega, solves in there.items()
        if omega == HARDEST or NOT_RUN not in solves.values()
    )


def _moving(found: Findings) -> str:
    """Return who solves the tasks from the hardest of the paper on, by moving omega and by mixing."""
    table = pd.concat([_table(found, name) for name in ("frequency", "limits")])
    methods = ("frequency", "homotopy")
    by = [set(table.loc[(table["method"] == method) & (table["omega"] >= HARDEST), "omega"]) for method in methods]
    omegas = sorted(set.intersection(*by))
    if not omegas:
        return NOT_RUN
    moving, mixing = (", ".join(_solving(table, omega, method) for omega in omegas) for method in methods)
    return (
        f"At omega {', '.join(f'{omega:g}' for omega in omegas)} a homotopy that moves omega from 1 solves {moving}; "
        f"one that mixes the two tasks solves {mixing}."
    )


def _changed(found: Findings) -> str:
    """Return what each change does for the three methods, of those that were run."""
    table = _table(found, "today")
    arms = {
        words: _all_three({method: _solving(table, HARDEST, method, arm) for method in METHODS})
        for arm, words in CHANGES.items()
    }
    said = [f"with {words} {solving}" for words, solving in arms.items() if NOT_RUN not in solving]
    return f"At omega {HARDEST:g} {'; '.join(said) or NOT_RUN}."


def _images(found: Findings) -> str:
    """Return in how many cases of a complete screen ours is smaller, or until there is one what each target shows."""
    counts = [
        (target, claim.margin, screen.count(found.screened, claim, ["area"]))
        for target, claims in found.screened.claims.items()
        for claim in claims
        if claim.against == ["random"]
    ]
    said = [
        f"{count} on {target} (by a factor of {margin:g} or more)"
        for target, margin, count in counts
        if count.cases and not count.missing
    ]
    if not said:
        return " ".join(abstract.images([*found.claims, *found.questions]))
    return (
        "By the medians of a screen, whose few seeds carry no interval, the homotopy's mean loss over all epochs is "
        f"smaller than random initialisation's in so many networks and initialisations: {' and '.join(said)}. "
        "What more seeds show stands above, under *Images*."
    )
