"""Compare what the documents show of the results with these, or put it in; see homotopy/report/documents.py.

examples:
  python scripts/readme.py --check           exit status 1 if a block is not what results/paper has
  python scripts/readme.py --write           put the blocks in
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from _start import imports

with imports():
    from homotopy import script
    from homotopy.errors import ConfigError
    from homotopy.report import documents
    from homotopy.results.files import write_atomic
    from homotopy.results.library import Library, Place


def main(arguments: list[str]) -> None:
    """Check (exit 1 if a block is stale) or write."""
    modes = [argument for argument in arguments if argument in ("--check", "--write")]
    others = [argument for argument in arguments if argument not in modes]
    options = script.options(__doc__, others, {"profile": "paper", "results.root": "results", "file": ""})
    if len(modes) != 1:
        raise ConfigError("mode", " ".join(modes), "--check or --write")
    found = documents.Findings(Library(Place.of(options)))
    paths = [Path(options["file"])] if options["file"] else documents.documents()
    stale = []
    for path in paths:
        text = path.read_text()
        if modes == ["--write"]:
            write_atomic(path, documents.updated(text, found).encode())
        else:
            names = documents.stale(text, found)
            stale += [f"{os.path.relpath(path)}: {name} is not what the results say" for name in names]
    if stale:
        command = shlex.join(["python", "scripts/readme.py", "--write", *others])
        print(*stale, f"mend it with: {command}", sep="\n", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
