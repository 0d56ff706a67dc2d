"""How long runs took: times of one machine alone are compared, and of one group of seeds on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from homotopy.results.library import Result


def timed(of: Result) -> list[dict[str, Any]]:
    """Return the records of the runs' groups that say how long they took, and where."""
    return [record for record in of.records if record.get("seconds") and record.get("hardware")]


def shared_hardware(results: Sequence[Result]) -> str | None:
    """Return the machine on which all of some results have runs, the one with most of them; None if there is none."""
    seeds: dict[str, list[int]] = {}
    for found in results:
        on = [(record["hardware"], len(record["seeds"])) for record in timed(found)]
        for machine in {name for name, _ in on}:
            seeds.setdefault(machine, []).append(sum(n for name, n in on if name == machine))
    shared = {machine: sum(counts) for machine, counts in seeds.items() if len(counts) == len(results)}
    return max(shared, key=lambda machine: (shared[machine], machine)) if shared else None


def seconds_per_epoch(results: Sequence[Result], hardware: str) -> float:
    """Return the time that an epoch of one seed takes on a machine, its share of the group that it trained in.

    It is one time for all methods of a task, as an epoch is the same work at every lam. Of all their groups the fastest
    counts: it was disturbed least by other work on the machine.
    """
    return min(
        record["seconds"] / len(record["seeds"]) / found.config.epochs
        for found in results
        for record in timed(found)
        if record["hardware"] == hardware
    )
