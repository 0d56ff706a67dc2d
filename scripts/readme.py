"""Compare the documents' numbers with results/paper (`--check`) or put them in (`--write`); see homotopy/readme.py."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from homotopy import cli, readme  # noqa: E402  (found beside this folder, installed or not)
from homotopy.errors import ConfigError  # noqa: E402
from homotopy.files import write_atomic  # noqa: E402
from homotopy.library import Library, Place  # noqa: E402


def main(arguments: list[str]) -> None:
    """Check (exit 1 if a number is stale) or write."""
    modes = [argument for argument in arguments if argument.startswith("--")]
    if modes not in (["--check"], ["--write"]):
        raise ConfigError("mode", " ".join(modes), "--check or --write")
    defaults = {"profile": "paper", "results.root": "results", "file": ""}
    others = [argument for argument in arguments if argument not in modes]
    options = cli.options(others, defaults)
    values = readme.Values(Library(Place(Path(options["results.root"]), options["profile"])))
    paths = [Path(options["file"])] if options["file"] else readme.documents()
    stale = []
    for path in paths:
        text = path.read_text()
        if modes == ["--write"]:
            write_atomic(path, readme.updated(text, values, path.parent).encode())
        else:
            stale += [f"{os.path.relpath(path)}: {line}" for line in readme.stale(text, values, path.parent)]
    if stale:
        command = " ".join(["python scripts/readme.py --write", *others])
        print(*stale, f"mend it with: {command}", sep="\n", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    cli.guard(main, sys.argv[1:])
