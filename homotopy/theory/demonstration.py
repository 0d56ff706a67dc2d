"""What shows that a line of the paper's text is right or wrong: a quantity by the text, and in fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from homotopy.theory.sgd import Mean


class Demonstration(NamedTuple):
    """A quantity by the printed text and as found, with its 99 % interval where it was measured.

    `shown` says whether the demonstration came out; `words` are further numbers for the row's text.
    """

    by_text: float
    found: Mean
    shown: bool
    words: Mapping[str, float] = {}
