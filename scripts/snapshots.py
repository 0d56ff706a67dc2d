"""Take snapshots of what networks compute while they train, for the moving picture and the report's explorer.

Saved runs of Figures 1 and 8 are trained again: at each omega the seeds where the homotopy ends best, at its median and
worst. Every recorded loss must be the saved one to the digit. Snapshots that are there are not taken again.

examples:
  python scripts/snapshots.py                    of results/quick, some minutes
  python scripts/snapshots.py profile=paper      of the committed runs, half an hour on two cores
  python scripts/snapshots.py profile=paper experiments=fig1
"""

from __future__ import annotations

import sys
from pathlib import Path

from _start import imports

with imports():
    from homotopy import script
    from homotopy.results import snapshots
    from homotopy.results.library import Place, Result, tasks
    from homotopy.training.snapshots import take

EXPERIMENTS = ("fig1", "fig8")


def of_task(results: list[Result]) -> list[Path]:
    """Take what is missing of a task's snapshots, method by method; return all their files."""
    files = []
    (homotopy,) = (found for found in results if found.config.method.name == "homotopy")
    seeds = sorted(set(snapshots.ranked(homotopy.curves).values()))
    for config in (found.config for found in results):
        missing = [seed for seed in seeds if not snapshots.path(config, seed).exists()]
        if missing:
            for seed, taken in take(config, missing).items():
                snapshots.write(snapshots.path(config, seed), taken)
        files += [snapshots.path(config, seed) for seed in seeds]
    return files


def main(arguments: list[str]) -> None:
    """Take the snapshots of every task that has its runs, and print their files."""
    defaults = {"profile": "quick", "results.root": "results", "experiments": ",".join(EXPERIMENTS)}
    options = script.options(__doc__, arguments, defaults)
    place = Place.of(options)
    names = script.listed("experiments", options["experiments"], EXPERIMENTS)
    for results in tasks(",".join(names), place)[0]:
        print(*of_task(results), sep="\n", flush=True)


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
