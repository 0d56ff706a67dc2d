"""Download and check the image data sets: MNIST, FashionMNIST and CIFAR-10.

examples:
  python scripts/data.py                     below HOMOTOPY_DATA, or data/
  python scripts/data.py data.root=DIR       below another folder

What is there is checked, never replaced. One process downloads at a time; others wait. Exit status 2 if a data set is
missing or damaged in the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from _start import imports

with imports():
    from homotopy import script, user_folders
    from homotopy.errors import DataError
    from homotopy.tasks.datasets import DATASETS, check, download


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
    options = script.options(__doc__, arguments, {"data.root": user_folders.data()})
    if not all([obtain(name, Path(options["data.root"])) for name in DATASETS]):
        sys.exit(2)


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
