"""Download the image data sets: python scripts/data.py [data.root=DIR]. What is there is checked, never replaced.

One process downloads at a time; others wait. Exit status 2 if a data set is missing or damaged in the end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from homotopy import cli  # noqa: E402  (found beside this folder, installed or not)
from homotopy.data import DATASETS, check, download  # noqa: E402
from homotopy.errors import DataError  # noqa: E402


def obtain(name: str, root: Path) -> bool:
    """Download what is missing of one data set and check the whole; True if it can be used."""
    try:
        download(name, root)
        provenance = check(name, root, verify=False)
    except DataError as error:
        print(error, file=sys.stderr)
        return False
    note = f"{provenance.note}: usable with task.images=unofficial" if provenance.note else "official files"
    print(f"{name}: {note}")
    return True


def main(arguments: list[str]) -> None:
    """Obtain every data set, those after a missing one too."""
    options = cli.options(arguments, {"data.root": os.environ.get("HOMOTOPY_DATA", "data")})
    if not all([obtain(name, Path(options["data.root"])) for name in DATASETS]):
        sys.exit(2)


if __name__ == "__main__":
    cli.guard(main, sys.argv[1:])
