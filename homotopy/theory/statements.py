"""What in the paper's text needed a second look: errata, remarks, and what is right as printed.

The words are in statements.yaml beside this file, the numbers are computed.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

from homotopy.streams import Purpose, generator
from homotopy.theory import errata, remarks, upheld
from homotopy.theory.demonstration import Demonstration
from homotopy.theory.sgd import exactly

KINDS = {  # and what they mean
    "erratum": "false as printed, or in contradiction to another line of the text; it has to be changed",
    "remark": "may stand; the comment gives a reading, a consequence or a limit that the text leaves out",
    "right as printed": "looks doubtful beside the errata, and holds",
}
_WORDS = Path(__file__).with_suffix(".yaml")


def demonstrations(repetitions: int, seed: int) -> dict[str, Demonstration]:
    """Compute every row's numbers. Those that are given `rng` draw from one stream, in this order."""
    rng = generator(seed, Purpose.THEORY, 9)
    return {
        "radius": errata.radius(repetitions, rng),
        "iterate_error": errata.iterate_error(repetitions, rng),
        "step_size": remarks.step_size(rng),
        "variance": remarks.variance(rng),
        "direction": errata.direction(rng),
        "objective": remarks.objective(rng),
        "weight": errata.weight(rng),
        "density": errata.density(rng),
        "units": errata.units(),
        "sum_and_mean": errata.sum_and_mean(),
        "assumptions": remarks.assumptions(),
        "lipschitz": remarks.lipschitz(),
        "reference": Demonstration(math.nan, exactly(math.nan), True),  # words alone
        "more_iterations": remarks.more_iterations(),
        "density_weight": remarks.density_weight(),
        "labels": remarks.labels(seed),
        "index": remarks.index(),
        "batch_condition": remarks.batch_condition(seed),
        "leaves_ball": remarks.leaves_ball(),
        "gap": remarks.gap(repetitions, seed),
        "recursion": upheld.recursion(),
        "proposition": upheld.proposition(),
        "step": upheld.step(),
        "mended": upheld.mended(),
    }


def rows(repetitions: int, seed: int) -> list[dict[str, Any]]:
    """Every row in the order of statements.yaml: its words, and the quantity by the text and as found."""
    found = demonstrations(repetitions, seed)
    texts = yaml.safe_load(_WORDS.read_text())
    return [{"row": name} | _row(words, found[name]) for name, words in texts.items()]


def _row(words: dict[str, str], found: Demonstration) -> dict[str, Any]:
    return {name: text % found.words for name, text in words.items()} | {
        "by_text": found.by_text, "found": found.found.value, "low": found.found.low, "high": found.found.high,
        "shown": "yes" if found.shown else "no",
    }  # fmt: skip
