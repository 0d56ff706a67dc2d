"""What saved results say of a claim: its rows, each a quantity with its interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import product
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from homotopy.errors import ResultError
from homotopy.report import claims
from homotopy.report.claims import Claim, Row
from homotopy.results import statistics
from homotopy.results.folder import KEYS
from homotopy.results.library import Place, Result
from homotopy.results.statistics import Array, Interval

NEAR_THE_END = 1.25  # a threshold over the larger final median


class Curves(NamedTuple):
    """One method's curves: epochs (points,) and losses (seeds, points); paired methods have the seeds in one order.

    `lam` (points,) is the largest of the seeds'.
    """

    epochs: Array
    losses: Array
    lam: Array

    @property
    def final(self) -> Array:
        """The losses at the last epoch, (seeds,)."""
        return self.losses[:, -1]


class Comparison(NamedTuple):
    """A method and its opponents, paired by seed; an opponent's place is empty without results."""

    label: str
    ours: Result | None
    theirs: list[Result | None]

    @property
    def found(self) -> list[Result]:
        """All results, ours first; none at all where one is missing."""
        results = [self.ours, *self.theirs]
        return [] if None in results else [r for r in results if r is not None]


def shared_seeds(results: Sequence[Result]) -> list[int]:
    """Return the seeds that are finished in every one of some results."""
    finished = [set(r.curves["seed"]) for r in results]
    return sorted(set.intersection(*finished)) if finished else []


def curves(of: Result, metric: str, seeds: Sequence[int], *, count_source: bool = False) -> Curves:
    """Return a metric's curves of some seeds; with `count_source` the source solution's epochs come before."""
    if metric not in of.curves:
        raise ResultError(f"{of.config.folder}: {metric} was not recorded")
    table = of.curves.pivot(index="seed", columns="epoch", values=metric).loc[list(seeds)]
    lam = of.curves.groupby("epoch")["lam"].max()
    return Curves(table.columns.to_numpy() + count_source * of.config.source_epochs, table.to_numpy(), lam.to_numpy())


def comparisons(claim: Claim, results: Sequence[Result]) -> Iterator[Comparison]:
    """Yield what a claim compares: for each value of its key each opponent, or all of them at once if `best`."""
    against = claim.against or []
    groups = [against] if claim.best else [[name] for name in against]
    for where, group in product(_places(claim, results), groups):
        what = [f"{key.rpartition('.')[2]} {value:g}" for key, value in where.items()]
        ours, *theirs = (_pick(results, where | {"method.name": name}) for name in (claim.ours, *group))
        yield Comparison(", ".join([*what, f"against {' and '.join(group)}"]), ours, theirs)


def _places(claim: Claim, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return the key that a claim goes over with each of its values; nothing, once, where it goes over none."""
    for key, values in (claim.each or claim.across or {}).items():
        found = sorted({attrgetter(key)(r.config) for r in results}) if values == "all" else values
        return [{key: value} for value in found]
    return [{}]


def _pick(results: Sequence[Result], where: dict[str, Any]) -> Result | None:
    for found in results:
        if all(attrgetter(key)(found.config) == value for key, value in where.items()):
            return None if found.curves.empty else found
    return None


def rows(claim: Claim, results: Sequence[Result], place: Place, level: float) -> list[Row]:
    """Evaluate a claim; `results` are those of its experiments."""
    if claim.quantity == "bound":
        return bound_rows(claim, place, level)
    compared = list(comparisons(claim, results))
    if claim.quantity == "growth":
        values = [value for where in _places(claim, results) for value in where.values()]
        return [growth_row(claim, compared, values, level)]
    each = claims.row_level(level, len(compared))
    return _with_holm([_row(claim, comparison, each) for comparison in compared])


def _row(claim: Claim, compared: Comparison, level: float) -> Row:
    seeds = shared_seeds(compared.found)
    if not seeds:
        return Row(compared.label, None, level, claims.MISSING, 0)
    asked = max(len(r.config.seeds) for r in compared.found)
    if claim.quantity == "equality":
        found = Interval(difference(compared.found[0], compared.found[1], seeds), 0.0, 0.0, len(seeds))
        return Row(compared.label, found, level, claims.outcome(claim, found), asked)
    ours, *theirs = (curves(r, claim.metric, seeds, count_source=claim.count_source) for r in compared.found)
    return loss_row(claim, compared.label, ours, theirs, level, asked)


def loss_row(claim: Claim, label: str, ours: Curves, theirs: list[Curves], level: float, asked: int) -> Row:
    """Compare final losses, or epochs to a threshold, of ours with theirs; the best of theirs if they are several."""
    note = ""
    if claim.quantity == "speed":
        threshold = common_loss(ours, theirs[0], claim.untrained)
        samples = [statistics.first_epoch(c.epochs, c.losses, threshold) for c in (ours, *theirs)]
        theirs_there = min(float(statistics.median(sample)) for sample in samples[1:])
        note = f"epochs to {threshold:.3g}{_held_up(ours, threshold, theirs_there)}"
    else:
        samples = [c.final for c in (ours, *theirs)]
    found = statistics.bootstrap(advantage, *samples, level=level)
    medians = [float(statistics.median(sample)) for sample in samples]
    best = 1 + int(np.argmin(medians[1:]))
    nothing = np.isinf(medians).all()  # both diverged, or neither comes to the threshold: nothing to compare
    return Row(
        label, found, level, claims.OPEN if nothing else claims.outcome(claim, found), asked, medians[0], medians[best],
        float(statistics.probability_of_improvement(samples[0], samples[best])),
        statistics.signed_rank(samples[0], samples[best]), note,
    )  # fmt: skip


def _held_up(ours: Curves, threshold: float, theirs: float) -> str:
    """Say if our median stays above the threshold until lam = 1, an epoch by which theirs had come to it."""
    medians, ended = statistics.median(ours.losses.T), ours.lam == 1
    if ended.all() or not ended.any() or medians[~ended].min() <= threshold or theirs > ours.epochs[ended][0]:
        return ""
    return f"; ours at least {medians[~ended].min():.2g} before lam = 1, from epoch {ours.epochs[ended][0]:,.0f} on"


def common_loss(ours: Curves, theirs: Curves, untrained: float | None = None) -> float:
    """Return the threshold of claims.yaml: a loss that both medians come to, if they have halved the `untrained` one.

    Where that is not given, theirs at the first recorded epoch stands for it.
    """
    last = max(float(statistics.median(c.final)) for c in (ours, theirs))
    before = float(statistics.median(theirs.losses[:, 0])) if untrained is None else untrained
    return min(NEAR_THE_END * last, before / 2)


def advantage(ours: Array, *theirs: Array) -> Array:
    """The least of their medians over ours, all (..., n)."""
    least = reduce(np.minimum, [statistics.median(sample) for sample in theirs])
    return statistics.ratio(least, statistics.median(ours))


def growth_row(claim: Claim, compared: Sequence[Comparison], values: Sequence[float], level: float) -> Row:
    """Correlate the key's values with the advantage at each; seeds are resampled for all values together."""
    label = f"{compared[0].label.split(', ')[0]} to {compared[-1].label.split(', ')[0]}" if compared else "all"
    everything = [result for comparison in compared for result in comparison.found]
    seeds = shared_seeds(everything)
    if not seeds or any(not comparison.found for comparison in compared):
        return Row(label, None, level, claims.MISSING, 0)
    groups = [[curves(r, claim.metric, seeds).final for r in comparison.found] for comparison in compared]
    size = len(groups[0])

    def statistic(*samples: Array) -> Array:
        grouped = [samples[i : i + size] for i in range(0, len(samples), size)]
        return statistics.rank_correlation(np.array(values), np.stack([advantage(*g) for g in grouped], axis=-1))

    found = statistics.bootstrap(statistic, *(sample for group in groups for sample in group), level=level)
    return Row(label, found, level, claims.outcome(claim, found), max(len(r.config.seeds) for r in everything))


def difference(a: Result, b: Result, seeds: Sequence[int]) -> float:
    """Return the largest relative difference of two methods' metrics; infinite if their epochs or metrics differ."""
    first, second = (r.curves[r.curves["seed"].isin(seeds)].set_index(["seed", "epoch"]).sort_index() for r in (a, b))
    metrics = [column for column in a.curves.columns if column not in KEYS]
    if not first.index.equals(second.index) or not set(metrics) <= set(second.columns):
        return float("inf")
    return float(np.abs(statistics.ratio(first[metrics].to_numpy(), second[metrics].to_numpy()) - 1).max())


def bound_rows(claim: Claim, place: Place, level: float) -> list[Row]:
    """Evaluate bounds from the theory's table: of each kind the setting nearest to its bound."""
    path = place.folder / "theory" / "bounds.csv"
    table = pd.read_csv(path) if path.exists() else pd.DataFrame({"bound": pd.Series(dtype=str)})
    return [_bound_row(name, table[table["bound"].str.startswith(name)], level) for name in claim.bounds or []]


def _bound_row(name: str, table: pd.DataFrame, level: float) -> Row:
    label = name.removesuffix(", C")
    if table.empty:
        return Row(label, None, level, claims.MISSING, 0)
    shares = table[["measured", "low", "high"]].div(table["value"], axis=0)
    value, low, high = shares.to_numpy()[int(shares["high"].argmax())].tolist()
    n, violated = int(table["settings"].sum()), int(table["violated"].sum())
    held = claims.HOLDS if (table["holds"] == "yes").all() else claims.OPEN
    where = [f"{row['bound']}, {row['case']}" for row in table[table["violated"] > 0].to_dict("records")]
    note = f"{violated} of {n} settings violate it" + (f": {'; '.join(where)}" if where else "")
    return Row(label, Interval(value, low, high, n), level, claims.FAILS if violated else held, n, note=note)


def _with_holm(found: list[Row]) -> list[Row]:
    """Correct the rows' p-values for being several."""
    tested = [i for i, row in enumerate(found) if row.p is not None]
    adjusted = statistics.holm(np.array([found[i].p for i in tested], dtype=float))
    for i, p in zip(tested, adjusted, strict=True):
        found[i] = found[i]._replace(p=float(p))
    return found
