"""Download the image data sets: python scripts/data.py [--root DIR]. What is there is checked, never replaced."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

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
    print(f"{name}: {provenance.note + ': usable with data.verify=false' if provenance.note else 'official files'}")
    return True


def main() -> int:
    """Obtain every data set; return 2 if one is missing or damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = os.environ.get("HOMOTOPY_DATA", "data")
    parser.add_argument("--root", type=Path, default=Path(default), help="default: %(default)s")
    root = parser.parse_args().root
    return 0 if all([obtain(name, root) for name in DATASETS]) else 2


if __name__ == "__main__":
    sys.exit(main())
