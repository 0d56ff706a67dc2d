"""Where a user has what can be made again, and whole image data sets."""

from __future__ import annotations

import os
from pathlib import Path


def cache() -> Path:
    """Return this project's folder in the user's cache, which may not exist. RuntimeError for a user without a home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homotopy"


def data() -> str:
    """Return the folder of whole image data sets: $HOMOTOPY_DATA, or data where that is not set or empty."""
    return os.environ.get("HOMOTOPY_DATA") or "data"
