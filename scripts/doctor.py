"""Say what is wrong with this machine, and the command that mends it.

examples:
  python scripts/doctor.py                   for results below results/, data below HOMOTOPY_DATA or data/
  python scripts/doctor.py results.root=DIR data.root=DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

from _start import imports

with imports():
    from homotopy import doctor, script, user_folders


def main(arguments: list[str]) -> None:
    """Print a line for everything; exit 1 if something is wrong."""
    defaults = {"results.root": "results", "data.root": user_folders.data()}
    options = script.options(__doc__, arguments, defaults)
    findings = []
    for finding in doctor.examine(Path(options["results.root"]), Path(options["data.root"])):
        print(finding, flush=True)
        findings.append(finding)
    sys.exit(1 if any(finding.state == doctor.WRONG for finding in findings) else 0)


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
