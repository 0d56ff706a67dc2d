"""Draw any result folders in one figure; its legend says in which settings they differ.

examples:
  python scripts/compare.py results/quick/sine-omega137/*
  python scripts/compare.py results/paper/sine-omega*/warmstart-* --metric test_loss --output warm_starts
"""

from __future__ import annotations

import sys
from pathlib import Path

from _start import imports

with imports():
    from homotopy import script
    from homotopy.figures import compare


def main(arguments: list[str]) -> None:
    """Draw the folders, and print the figure's files."""
    parser = script.Parser(__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="the results of one configuration")
    parser.add_argument("--metric", default="target_loss", help="a column of runs.csv.gz (default: %(default)s)")
    parser.add_argument("--output", default="compare", type=Path, help="the figure's name (default: %(default)s)")
    given = parser.parse_args(arguments)
    print(*compare.draw(given.folders, given.metric, given.output), sep="\n")


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
