"""What is wrong with this machine, and the command that mends it: `python scripts/doctor.py [results.root=DIR]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from homotopy import cli, doctor  # noqa: E402  (found beside this folder, installed or not)


def main(arguments: list[str]) -> None:
    """Print a line for everything; exit 1 if something is wrong."""
    defaults = {"results.root": "results", "data.root": os.environ.get("HOMOTOPY_DATA", "data")}
    options = cli.options(arguments, defaults)
    findings = []
    for finding in doctor.examine(Path(options["results.root"]), Path(options["data.root"])):
        print(finding, flush=True)
        findings.append(finding)
    sys.exit(1 if any(finding.state == doctor.WRONG for finding in findings) else 0)


if __name__ == "__main__":
    cli.guard(main, sys.argv[1:])
