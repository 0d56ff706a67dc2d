"""In how many plain settings of what the paper leaves unstated a claim shows: the map's count, by rules.yaml.

A setting is an initialisation, a noise and a batch size. The count describes and decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from homotopy.report import rules
from homotopy.report.evidence import comparisons, samples, shared_seeds
from homotopy.report.rules import Claim, Rules
from homotopy.results import intervals, statistics
from homotopy.results.library import Library, Result
from homotopy.results.unstated import Setting, setting

EXPERIMENT = "map"
OMEGA = "task.omega"


class MapCount(NamedTuple):
    """A claim's ratio in each plain setting of the map, None where that was not run at all of the claim's omegas.

    A setting shows the claim if its ratio reaches the claim's `margin`; `default` is the setting of our defaults.
    """

    ratios: dict[Setting, float | None]
    margin: float
    default: Setting

    @property
    def run(self) -> int:
        """How many settings were run."""
        return sum(ratio is not None for ratio in self.ratios.values())

    @property
    def holds(self) -> int:
        """How many settings show the claim."""
        return sum(self.shows(setting) for setting in self.ratios)

    def shows(self, setting: Setting) -> bool:
        """Whether a setting shows the claim."""
        ratio = self.ratios.get(setting)
        return ratio is not None and ratio >= self.margin


def on_the_map(claim: Claim, omegas: Sequence[float]) -> Claim | None:
    """Return a claim with those of its comparisons that the map makes; None where it makes none of them."""
    for name in ("each", "pooled"):
        asked = (getattr(claim, name) or {}).get(OMEGA)
        there = omegas if asked == "all" else [omega for omega in omegas if omega in (asked or [])]
        if there and claim.quantity in rules.SAMPLED:
            where: dict[str, Any] = {"each": None, "pooled": None} | {name: {OMEGA: list(there)}}
            return replace(claim, **where)
    return None


def count(claim: Claim, library: Library, book: Rules) -> MapCount | None:
    """Return in which plain settings a claim shows; None for a claim that the map does not touch.

    These are claims on other omegas, and those of which every run anneals the step size: the map has no annealing.
    """
    mapped = on_the_map(claim, book.map_omegas)
    if mapped is None:
        return None
    if all(job.config.optimizer.decay != "constant" for name in claim.experiments for job in library.jobs(name)):
        return None
    by_setting: dict[Setting, list[Result]] = {}
    for found in library.results(EXPERIMENT):
        by_setting.setdefault(setting(found.config), []).append(found)
    default = setting(library.jobs("fig1")[0].config)
    return MapCount({each: _ratio(mapped, found, book) for each, found in by_setting.items()}, claim.margin, default)


def _ratio(claim: Claim, results: Sequence[Result], book: Rules) -> float | None:
    """Return what decides whether a setting shows a claim: its rows' least ratio, for `any` their largest."""
    ratios = []
    for compared in comparisons(claim, results):
        seeds = shared_seeds(compared.results)
        if not seeds:
            return None
        found = samples(claim, compared, seeds, book.window(claim))
        ratios.append(float(intervals.ratio(statistics.median(found.ours), statistics.median(found.theirs))))
    return max(ratios) if claim.combine == "any" else min(ratios)
