"""Where the tests find real images; without them they are skipped, and say so."""

import os
from pathlib import Path

import pytest

from homotopy.data import DATASETS

ROOT = Path(os.environ.get("HOMOTOPY_DATA", "data")).resolve()
ABSENT = [name for name, files in DATASETS.items() if not all((ROOT / files.folder / f).is_file() for f in files.md5)]
needs_images = pytest.mark.skipif(bool(ABSENT), reason=f"HOMOTOPY_DATA: no {', '.join(ABSENT)} below {ROOT}")
