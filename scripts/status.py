"""Show what is done, running, failed or missing, and the time left.

examples:
  python scripts/status.py                   of every experiment in profile quick
  python scripts/status.py fig1 profile=paper results.root=DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from homotopy import script  # noqa: E402  (found beside this folder, installed or not)

with script.imports():
    from homotopy import compose, status
    from homotopy.library import Place


def main(arguments: list[str]) -> None:
    """Print where the study stands."""
    defaults = {"profile": "quick", "results.root": "results", "experiment": ""}
    options = script.options(__doc__, arguments, defaults, words="experiment")
    names = options["experiment"].split(",") if options["experiment"] else compose.names("experiment")
    place = Place(Path(options["results.root"]), options["profile"])
    print(status.overview(status.experiments(names, place)))


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
