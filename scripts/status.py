"""What is done, running, failed or missing, and the time left: `python scripts/status.py profile=paper`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from homotopy import cli, compose, status  # noqa: E402  (found beside this folder, installed or not)
from homotopy.library import Place  # noqa: E402


def main(arguments: list[str]) -> None:
    """Print where the study stands."""
    options = cli.options(arguments, {"profile": "quick", "results.root": "results", "experiment": ""})
    names = [options["experiment"]] if options["experiment"] else compose.names("experiment")
    place = Place(Path(options["results.root"]), options["profile"])
    print(status.overview(status.experiments(names, place)))


if __name__ == "__main__":
    cli.guard(main, sys.argv[1:])
