"""Judge the paper's claims from saved results: `python scripts/report.py profile=paper`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from homotopy import cli, compose, report  # noqa: E402  (found beside this folder, installed or not)
from homotopy.library import Place  # noqa: E402


def main(arguments: list[str]) -> None:
    """Write the report of a profile."""
    options = cli.options(arguments, {"profile": "quick", "results.root": "results"})
    place = Place(Path(options["results.root"]), options["profile"])
    print(*report.write(place, compose.names("experiment")), sep="\n")


if __name__ == "__main__":
    cli.guard(main, sys.argv[1:])
