"""The README's first screen: the findings in sentences, and a line for each of the paper's claims."""

from __future__ import annotations

from collections.abc import Mapping

from homotopy import markdown
from homotopy.report import abstract, rules
from homotopy.report.findings import Findings
from homotopy.report.verdicts import KINDS, Judged, interval, of_asked, outcomes
from homotopy.results.library import span

# what each numbered claim says, in a few words, and what tells its parts apart
CLAIMS: Mapping[int, tuple[str, Mapping[str, str]]] = {
    1: (
        "At omega 74, 95, 116 and 137 the homotopy ends with the lowest median loss, and needs fewer epochs to a loss "
        "that both reach",
        {"sine-lowest": "lowest", "sine-faster": "faster"},
    ),
    2: ("Somewhere it ends two orders of magnitude (rounded: 10^1.5 or more) below both baselines", {"two-orders": ""}),
    3: (
        "It ends below the better baseline over the whole range of omega",
        {"across-omega": "each omega", "hard-tasks": "95 and above", "easy-tasks": "74 and below"},
    ),
    4: ("With cosine annealing it still ends lowest at omega 137", {"annealed": ""}),
    5: (
        "From MNIST to FashionMNIST it is faster than random initialisation and comparable to warm start",
        {"fashion-faster": "faster", "fashion-comparable": "comparable"},
    ),
    6: (
        "From MNIST to CIFAR-10 it is faster than both and ends below warm start",
        {"cifar-faster": "than random initialisation", "cifar-ahead": "than warm start"},
    ),
    7: ("With gamma = 1 it is warm start", {"limiting-case": ""}),
    8: (
        "The theory's bounds hold where the constants are known",
        {"bounds": "convex", "bounds-near-the-optimum": "near the optimum"},
    ),
}
_PLACES = {"hard-tasks": "Hard tasks", "easy-tasks": "Easy tasks", "annealed": "Annealing"}


def claims(found: Findings) -> str:
    """Return a table with a line for each of the paper's claims: what holds, from how many seeds, and the verdict."""
    lines = []
    for number, (said, parts) in CLAIMS.items():
        judged = {part: found.named(id_) for id_, part in parts.items()}
        cells = [_together({part: word(j) for part, j in judged.items()}) for word in (_count, _verdict)]
        lines.append([str(number), said, cells[0], _seeds(list(judged.values())), cells[1]])
    return markdown.table(["", "the paper's claim", "what was found", "seeds", "verdict"], lines)


def _together(words: Mapping[str, str]) -> str:
    """Return what is said of a claim's parts, once where it is the same of all."""
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "; ".join(f"{part}: {word}" for part, word in words.items())


def _count(judged: Judged) -> str:
    if len(judged.rows) == 1 and judged.rows[0].ratio and judged.claim.quantity == "loss":
        row = judged.rows[0]
        return f"the better baseline ends at {interval(row.ratio)} times its median loss ({row.outcome})"
    found = [row.outcome for row in judged.rows]
    holding = found.count(rules.HOLDS)
    if judged.claim.predicate == "reaches":
        reaching = f"{holding} of {len(judged.rows)} comparisons reach a factor of {judged.claim.margin:g}"
        return f"by their intervals {reaching}, and {found.count(rules.HALF)} others a factor of {judged.claim.half:g}"
    others = [words for outcome, words in outcomes(found).items() if outcome != rules.HOLDS]
    whole = f"{holding} of {len(judged.rows)} {'bounds' if judged.claim.bounds else 'comparisons'} hold"
    return ", ".join([whole, *others])


def _verdict(judged: Judged) -> str:
    kind = judged.claim.kind
    beside = [KINDS[kind]] if kind != rules.EXPERIMENT else judged.remarks
    return f"**{judged.text}**" + (f" ({'; '.join(beside)})" if beside else "")


def _seeds(judged: list[Judged]) -> str:
    rows = [row for j in judged if not j.claim.bounds for row in j.rows]
    if not rows:
        return ""
    n, asked = span([row.n for row in rows]), span([row.asked for row in rows])
    return of_asked(n, asked)


def findings(found: Findings) -> str:
    """Return what was found, a sentence or two for each part of the study, with the numbers and their intervals."""
    lines = [f"**Who solves the hardest task.** {abstract.headline(found.solved, found.book)}"]
    hard, easy, annealed = (f"**{place}.** {abstract.ahead(found.named(id_))}" for id_, place in _PLACES.items())
    lines += [f"{hard} {easy}", annealed]
    lines.append(f"**What of it helps.** {abstract.helps({id_: found.named(id_) for id_ in abstract.PARTS})}")
    lines += [f"**What it depends on.** {line}" for line in abstract.dependence(found.map_counts)]
    lines.append(f"**Images.** {abstract.nested(abstract.images([*found.claims, *found.questions]))}")
    theory = [judged for judged in found.claims if judged.claim.kind == rules.THEOREM]
    bounds = [row for judged in theory for row in judged.rows]
    holding = sum(row.outcome == rules.HOLDS for row in bounds)
    lines.append(
        f"**Theory.** {holding} of {len(bounds)} bounds hold where the constants are known, some after a misprint is "
        "mended. Near an optimum the paper's condition allows no mini-batch in our example: these are measured by a "
        "condition of ours ([docs/theory.md](docs/theory.md))."
    )
    return "".join(f"- {line}\n" for line in lines)


def later_seeds(found: Findings) -> str:
    """Return which sine tasks have seeds whose results nobody knew when the rules were written, and how many."""
    said = {}
    for row in found.solved[found.solved["seeds"] == abstract.UNSEEN].to_dict("records"):
        annealed = " with annealing" if row["experiment"] == abstract.ANNEALED else ""
        said[row["task"].replace("sine-omega", "omega ") + annealed] = row["n"]
    return ", ".join(f"{task} ({n})" for task, n in said.items()) or "none"
