"""How long runs took, as their records tell. Only times of the same machine are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from homotopy.results.library import Result


def timed(of: Result) -> list[dict[str, Any]]:
    """Return the records of the runs' groups that say how long they took, and where."""
    return [record for record in of.records if record.get("seconds") and record.get("hardware")]


def shared_hardware(results: Sequence[Result]) -> str | None:
    """Return the machine that trained at least one seed of every result; None if there is none.

    Of several such machines it is the one that trained most seeds of these results.
    """
    seeds: dict[str, list[int]] = {}
    for found in results:
        on = [(record["hardware"], len(record["seeds"])) for record in timed(found)]
        for machine in {name for name, _ in on}:
            seeds.setdefault(machine, []).append(sum(n for name, n in on if name == machine))
    shared = {machine: sum(counts) for machine, counts in seeds.items() if len(counts) == len(results)}
    return max(shared, key=lambda machine: (shared[machine], machine)) if shared else None


def seconds_per_epoch(results: Sequence[Result], hardware: str) -> float:
    """Return the time that an epoch of one seed takes on a machine: that of its group over the seeds of the group.

    Give the results of all methods of a task: an epoch is the same work for each of them and at every lam. Of all their
    groups the fastest counts, which was disturbed least by other work on the machine.
    """
    return min(
        record["seconds"] / len(record["seeds"]) / found.config.epochs
        for found in results
        for record in timed(found)
        if record["hardware"] == hardware
    )
