"""Judge the paper's claims from saved results, without training, and draw the overview.

examples:
  python scripts/report.py                   from results/quick
  python scripts/report.py profile=paper results.root=DIR
"""

from __future__ import annotations

import sys

from _start import imports

with imports():
    from homotopy import keys, script
    from homotopy.report import write
    from homotopy.results.library import Place


def main(arguments: list[str]) -> None:
    """Write the report of a profile."""
    options = script.options(__doc__, arguments, {"profile": "quick", "results.root": "results"})
    print(*write.write(Place.of(options), keys.names("experiment")), sep="\n")


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
