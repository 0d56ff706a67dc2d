"""Where things are kept that can be made again: the user's cache."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """Return this project's folder in the user's cache, which may not exist. RuntimeError for a user without a home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homotopy"
