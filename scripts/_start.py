"""How every script imports: in one line, with exit status 2, where the package or one that it needs is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION = (3, 11)


@contextmanager
def imports() -> Iterator[None]:
    """Import packages; end in one line on stderr if one is missing, or if this Python is too old for them."""
    if sys.version_info < _VERSION:
        _refuse(f"Python 3.11 or newer is needed, and {sys.executable} is {sys.version.split()[0]}")
    try:
        from homotopy.script import shown

        with shown("loading"):
            yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith("homotopy."):
            raise
        _refuse(f"{sys.executable} lacks the package {error.name}")


def _refuse(why: str) -> None:
    print(f"error: {why}; make setup, then source .venv/bin/activate", file=sys.stderr)
    sys.exit(2)
