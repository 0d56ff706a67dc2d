"""What saved results say of a claim: its rows, each a comparison with its intervals and its outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, product
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from homotopy.errors import ResultError
from homotopy.report import rules
from homotopy.report.rules import Claim, Row, Rules
from homotopy.results import intervals, statistics
from homotopy.results.files import read_csv
from homotopy.results.folder import metrics
from homotopy.results.intervals import Interval
from homotopy.results.library import Place, Result
from homotopy.results.statistics import Array

NEAR_THE_END = 1.25  # this times the larger final median is a loss to which both methods come
STEP_SIZES = {"constant": "constant step size", "cosine": "cosine annealing", "warmup": "warm-up of the step size"}


class Curves(NamedTuple):
    """One method's curves: epochs (points,) and losses (seeds, points); paired methods have the seeds in one order."""

    epochs: Array
    losses: Array

    @property
    def final(self) -> Array:
        """The losses at the last epoch, (seeds,)."""
        return self.losses[:, -1]

    def settled(self, last: float | None = None) -> Curves:
        """Return the settled losses over so many epochs; if not given, over 100 or at most a fifth of the run."""
        return Curves(self.epochs, statistics.settled_curves(*self, last))


class Comparison(NamedTuple):
    """A method and its opponents: a result for each pooled value, one where nothing is pooled.

    A result is None where the experiments do not have it.
    """

    label: str
    ours: list[Result | None]
    theirs: list[list[Result | None]]

    @property
    def results(self) -> list[Result]:
        """All results, ours first; none at all where one is missing."""
        every = [*self.ours, *chain.from_iterable(self.theirs)]
        return [] if None in every else [r for r in every if r is not None]

    @property
    def asked(self) -> int:
        """How many seeds the configurations ask for."""
        seeds = [set(r.config.seeds) for r in self.results]
        return len(set.intersection(*seeds)) if seeds else 0


class Samples(NamedTuple):
    """What is compared, a loss or an epoch per seed: ours (values, n) and theirs (opponents, values, n)."""

    ours: Array
    theirs: Array
    note: str = ""


def shared_seeds(results: Sequence[Result]) -> list[int]:
    """Return the seeds that are finished in every one of some results."""
    finished = [set(r.curves["seed"]) for r in results]
    return sorted(set.intersection(*finished)) if finished else []


def curves(of: Result, metric: str, seeds: Sequence[int], *, count_source: bool = False) -> Curves:
    """Return a metric's curves of some seeds; with `count_source` the source solution's epochs come before."""
    if metric not in of.curves:
        raise ResultError(f"{of.config.folder}: {metric} was not recorded")
    table = of.curves.pivot(index="seed", columns="epoch", values=metric).loc[list(seeds)]
    return Curves(table.columns.to_numpy() + count_source * of.config.source_epochs, table.to_numpy())


def comparisons(claim: Claim, results: Sequence[Result]) -> Iterator[Comparison]:
    """Yield what a claim compares: for each of its values each opponent, or all of them at once if `best`."""
    each, pooled, against = claim.each or {}, claim.pooled or {}, claim.against or []
    together = list(places(pooled, results))
    for where, group in product(places(each, results), [against] if claim.best else [[name] for name in against]):
        ours, *theirs = (
            [pick(results, where | place | {"method.name": name}) for place in together]
            for name in (claim.ours, *group)
        )
        what = [words(key, value) for key, value in where.items()]
        what += [f"{words(key, *values)} together" for key, values in pooled.items()]
        yield Comparison(", ".join([*what, f"against {' and '.join(group)}"]), ours, theirs)


def words(key: str, *values: Any) -> str:
    """Return a key's last part and its values, "omega 74, 137", and a rule for the step size as people call it."""
    if key == "optimizer.decay":
        return ", ".join(STEP_SIZES.get(value, value) for value in values)
    shown = [value if isinstance(value, str) else f"{value:g}" for value in values]
    return f"{key.rpartition('.')[2]} {', '.join(shown)}"


def places(each: Mapping[str, Any], results: Sequence[Result] = ()) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values of some keys, of those with `all` what the results have."""
    if "all" in each.values():
        there = sorted({tuple(attrgetter(key)(r.config) for key in each) for r in results})
    else:
        there = list(product(*each.values()))
    for values in there:
        yield dict(zip(each, values, strict=True))


def pick(results: Sequence[Result], where: Mapping[str, Any]) -> Result | None:
    """Return the first result whose settings are those of `where`: of variations the default stands first."""
    return next((r for r in results if all(attrgetter(key)(r.config) == value for key, value in where.items())), None)


def samples(claim: Claim, compared: Comparison, seeds: Sequence[int], window: int) -> Samples:
    """Return what a claim compares on some seeds, of losses settled over the last `window` epochs."""
    ours, *theirs = (
        [curves(r, claim.metric, seeds, count_source=claim.count_source) for r in results if r is not None]
        for results in (compared.ours, *compared.theirs)
    )
    if claim.quantity == "speed":
        return _epochs(claim, ours[0], theirs[0][0], window)
    each_seed = partial(value, claim, window)
    found = [np.stack([each_seed(each) for each in method]) for method in (ours, *theirs)]
    return Samples(found[0], np.stack(found[1:]))


def value(claim: Claim, window: int, of: Curves) -> Array:
    """Return what a claim compares of one method without regard to another: a loss or an epoch per seed, (seeds,)."""
    if claim.quantity == "area":
        return statistics.area(of.losses)
    if claim.quantity == "epochs" and claim.threshold is not None:
        return statistics.first_epoch(*of, claim.threshold)
    return statistics.settled(*of, window)


def _epochs(claim: Claim, ours: Curves, theirs: Curves, window: int) -> Samples:
    """Return the epochs at which each seed comes to a loss that both medians reach."""
    ours, theirs = ours.settled(window), theirs.settled(window)
    threshold = common_loss(ours, theirs)
    first, second = (statistics.first_epoch(*each, threshold) for each in (ours, theirs))
    return Samples(first[None], second[None, None], f"epochs to {threshold:.3g}")


def common_loss(ours: Curves, theirs: Curves) -> float:
    """Return the threshold of rules.yaml: 1.25 times the larger final median, at most half the opponent's first one."""
    last = max(float(statistics.median(c.final)) for c in (ours, theirs))
    return min(NEAR_THE_END * last, float(statistics.median(theirs.losses[:, 0])) / 2)


def rows(claim: Claim, results: Sequence[Result], place: Place, book: Rules) -> list[Row]:
    """Evaluate a claim; `results` are those of its experiments."""
    if claim.quantity == "bound":
        return bound_rows(claim, place)
    compared = [(part, each) for part in claim.parts for each in comparisons(part, results)]
    level = rules.row_level(book.level, len(compared))
    found = [row(part, each, book, level) for part, each in compared]
    if not claim.measures:
        return found
    return [
        each._replace(label=f"{part.quantity}, {each.label}") for each, (part, _) in zip(found, compared, strict=True)
    ]


def row(claim: Claim, compared: Comparison, book: Rules, level: float) -> Row:
    """Evaluate one comparison of a claim, at a level of its own."""
    seeds = shared_seeds(compared.results)
    if not seeds:
        return Row(compared.label, rules.OPEN, 0, compared.asked)
    if claim.quantity == "equality":
        found = difference(compared.results[0], compared.results[1], seeds)
        outcome = rules.HOLDS if found == 0 else rules.DIFFERS
        return Row(compared.label, outcome, len(seeds), compared.asked, Interval(found, found, found, len(seeds)))

    def of(seeds: Sequence[int], window: int) -> Row:
        found = samples(claim, compared, seeds, window)
        return sampled_row(claim, compared.label, found, level, book.least_seeds, compared.asked)

    window = book.window(claim)
    unseen = [seed for seed in seeds if seed >= book.known]
    literal = of(seeds, 1) if window > 1 else None
    return of(seeds, window)._replace(
        literal=literal, unseen=of(unseen, window) if 0 < len(unseen) < len(seeds) else None
    )


def sampled_row(claim: Claim, label: str, found: Samples, level: float, least_seeds: int, asked: int) -> Row:
    """Compare ours with theirs, the best of them if they are several, and the geometric mean of pooled values.

    Where both medians are infinite (both diverged, or neither comes to the threshold) there is nothing to compare, and
    the row is open.
    """
    ours, theirs = found.ours, found.theirs
    ratio = intervals.ratio_of_medians(ours, theirs, level)
    paired = intervals.hodges_lehmann(ours, theirs, level)
    better = intervals.share(np.all(intervals.log_ratios(ours, theirs) > 0, axis=0), level)
    medians = np.stack([statistics.median(ours), statistics.median(theirs).min(axis=0)])
    nothing = np.isinf(medians).all(axis=0).any()
    outcome = rules.OPEN if nothing else rules.outcome(claim, ratio, paired, least_seeds)
    if nothing:
        ratio = paired = Interval(np.nan, np.nan, np.nan, ratio.n)
    first, second = np.exp(np.log(medians).mean(axis=1)).tolist()
    return Row(label, outcome, ratio.n, asked, ratio, paired, better, first, second, found.note)


def difference(a: Result, b: Result, seeds: Sequence[int]) -> float:
    """Return the largest relative difference of two methods' metrics; infinite if their epochs or metrics differ."""
    first, second = (r.curves[r.curves["seed"].isin(seeds)].set_index(["seed", "epoch"]).sort_index() for r in (a, b))
    names = metrics(a.curves)
    if not first.index.equals(second.index) or not set(names) <= set(second.columns):
        return float("inf")
    return float(np.abs(statistics.ratio(first[names].to_numpy(), second[names].to_numpy()) - 1).max())


def bound_rows(claim: Claim, place: Place) -> list[Row]:
    """Evaluate bounds from the theory's table: of each kind the setting nearest to its bound."""
    path = place.folder / "theory" / "bounds.csv"
    table = read_csv(path) if path.exists() else pd.DataFrame({"bound": pd.Series(dtype=str)})
    return [_bound_row(name, table[table["bound"].str.startswith(name)]) for name in claim.bounds or []]


def _bound_row(name: str, table: pd.DataFrame) -> Row:
    label = name.removesuffix(", C")
    if table.empty:
        return Row(label, rules.OPEN, 0, 0)
    shares = table[["measured", "low", "high"]].div(table["value"], axis=0)
    value, low, high = shares.to_numpy()[int(shares["high"].argmax())].tolist()
    n, violated = int(table["settings"].sum()), int(table["violated"].sum())
    held = rules.HOLDS if (table["holds"] == "yes").all() else rules.OPEN
    where = [f"{row['bound']}, {row['case']}" for row in table[table["violated"] > 0].to_dict("records")]
    note = f"{violated} of {n} measurements violate it" + (f": {'; '.join(where)}" if where else "")
    return Row(label, rules.VIOLATED if violated else held, n, n, Interval(value, low, high, n), note=note)


def solved(results: Sequence[Result], book: Rules, first: int = 0) -> dict[str, Interval]:
    """Return the share of seeds that solve a task, by method, of the seeds from `first` on that all methods have.

    A seed solves it whose settled loss at the last epoch is below `solved`.
    """
    final = final_losses(results, first, book.settled)
    return {name: intervals.share(losses < book.solved, book.level) for name, losses in final.items()}


def final_losses(results: Sequence[Result], first: int = 0, last: float | None = None) -> dict[str, Array]:
    """Return the settled losses at the end by method, (seeds,), of the seeds from `first` on that all results have.

    They settle over so many epochs as `Curves.settled` says. Nothing is returned where the results share no seed.
    """
    seeds = [seed for seed in shared_seeds(results) if seed >= first]
    return {r.config.method.name: statistics.settled(*curves(r, "target_loss", seeds), last) for r in results if seeds}
