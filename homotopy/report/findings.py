"""A profile's results, and what the claims come to by them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from homotopy.report import abstract, finals, multiverse, predictions, rules, screen, tables, unstated
from homotopy.report.predictions import JudgedPrediction
from homotopy.report.rules import Claim
from homotopy.report.verdicts import Judged, judge, number
from homotopy.results.files import read_csv
from homotopy.results.library import Library


class Findings:
    """A profile's results, and what the claims come to by them, each judged once."""

    def __init__(self, library: Library) -> None:
        self.library, self.book = library, rules.read()
        self._judged: dict[str, Judged] = {}

    def judged(self, claim: Claim) -> Judged:
        """Return what became of a claim."""
        if claim.id not in self._judged:
            self._judged[claim.id] = judge(claim, self.library, self.book)
        return self._judged[claim.id]

    def named(self, id_: str) -> Judged:
        """Return what became of the claim or question of that id."""
        return self.judged(next(claim for claim in (*self.book.claims, *self.book.questions) if claim.id == id_))

    @cached_property
    def claims(self) -> list[Judged]:
        """What became of every claim of the paper."""
        return [self.judged(claim) for claim in self.book.claims]

    @cached_property
    def questions(self) -> list[Judged]:
        """What became of every question beyond the paper."""
        return [self.judged(claim) for claim in self.book.questions]

    @cached_property
    def expected(self) -> list[JudgedPrediction]:
        """What became of every prediction."""
        return [predictions.judge(each, self.library, self.book) for each in predictions.read()]

    @cached_property
    def screened(self) -> screen.Screen:
        """What the screen of networks for images found."""
        return screen.screen(self.library.results(*screen.EXPERIMENTS), self.book)

    @cached_property
    def solved(self) -> pd.DataFrame:
        """How many seeds solve each sine task, by method."""
        return abstract.solved(self.library, self.book)

    @cached_property
    def fair(self) -> pd.DataFrame:
        """What Figure 1's methods need, source training counted."""
        return tables.fair(self.library.results("fig1"))

    @cached_property
    def finals(self) -> pd.DataFrame:
        """What Figures 3a and 3b come to."""
        return finals.table(self.library, self.book)

    @cached_property
    def search(self) -> pd.DataFrame:
        """What the search for the first image study's settings found."""
        return tables.search(self.library.results(*tables.SEARCHES))

    @cached_property
    def unstated(self) -> pd.DataFrame:
        """What the map of unstated settings found."""
        return unstated.table(self.library.results(multiverse.EXPERIMENT))

    @cached_property
    def map_counts(self) -> dict[str, multiverse.MapCount]:
        """In which plain settings of the map each claim shows, by claim."""
        counts = {claim.id: multiverse.count(claim, self.library, self.book) for claim in self.book.claims}
        return {id_: count for id_, count in counts.items() if count}

    def cell(self, file: str, column: str, **where: Any) -> str:
        """Return a cell of the first line of a CSV file, in the profile's folder, that has these values."""
        frame = read_csv(self.library.place.folder / file)
        for name, value in where.items():
            frame = frame[frame[name.replace("_", " ")] == value]
        return number(float(frame[column].iloc[0]))
