"""Show what is done, running, failed or missing, and the time left.

examples:
  python scripts/status.py                   of every experiment in profile quick
  python scripts/status.py fig1 profile=paper results.root=DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

from _start import imports

with imports():
    from homotopy import keys, script
    from homotopy.results import failures, status


def main(arguments: list[str]) -> None:
    """Print where the study stands."""
    defaults = {"profile": "quick", "results.root": "results", "experiment": ""}
    options = script.options(__doc__, arguments, defaults, words="experiment")
    keys.check_choice("profile", options["profile"])
    every = keys.names("experiment")
    asked = script.listed("experiment", options["experiment"], every)
    results = Path(options["results.root"])
    found = status.experiments(asked or every, results, options["profile"])
    folder = results / options["profile"]
    if asked:
        print(status.overview(found))
    else:
        print(status.overview(found, status.others(found, folder), failures.kept(folder)))


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
