"""Judge the paper's claims from saved results, without training, and draw the overview.

examples:
  python scripts/report.py                   from results/quick
  python scripts/report.py profile=paper results.root=DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from homotopy import script  # noqa: E402  (found beside this folder, installed or not)

with script.imports():
    from homotopy import compose
    from homotopy.report import write
    from homotopy.results.library import Place


def main(arguments: list[str]) -> None:
    """Write the report of a profile."""
    options = script.options(__doc__, arguments, {"profile": "quick", "results.root": "results"})
    place = Place(Path(options["results.root"]), options["profile"])
    print(*write.write(place, compose.names("experiment")), sep="\n")


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
