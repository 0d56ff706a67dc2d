"""Measure the speed of training as ratios.

examples:
  python scripts/bench.py                                       all sections
  python scripts/bench.py sections=NAME,... results.root=DIR    some; the others keep the numbers saved before

Writes <results.root>/bench/<machine>.json, .md and a plot. Contestants of a section run in turn in this one process;
close other programs first. JAX takes part where it is installed (requirements-bench.txt).
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _start import imports

with imports():
    from benchmark import machine, report
    from benchmark.measure import Section
    from benchmark.processes import in_new_process
    from benchmark.sections import SECTIONS

    from homotopy import script
    from homotopy.progress import say
    from homotopy.results.files import write_atomic


def merged(new: Section, saved: dict[str, Any]) -> dict[str, Any]:
    """Return what was saved with one section measured anew, in the order of SECTIONS."""
    sections = {old["name"]: old for old in saved.get("sections", [])}
    sections[new.name] = asdict(new) | {"made": machine.present()}
    return {"machine": machine.describe(), "sections": [sections[name] for name in SECTIONS if name in sections]}


def write(measured: dict[str, Any], path: Path) -> None:
    """Write `path` (.json) and, beside it, the page and the plot."""
    write_atomic(path, (json.dumps(measured, indent=1) + "\n").encode())
    write_atomic(path.with_suffix(".md"), report.page(measured).encode())
    if any(section["name"] == "seeds" for section in measured["sections"]):
        report.plot(measured, path.with_suffix(""))


def main(arguments: list[str]) -> None:
    """Measure the sections asked for, all by default; write the files after each."""
    options = script.options(__doc__, arguments, {"sections": ",".join(SECTIONS), "results.root": "results"})
    names = script.listed("sections", options["sections"], SECTIONS)
    path = Path(options["results.root"]) / "bench" / f"{machine.slug()}.json"
    for name in names:
        began = time.monotonic()
        say(f"measuring {name}")
        write(merged(in_new_process(SECTIONS[name]), json.loads(path.read_text()) if path.exists() else {}), path)
        say(f"{name}: {time.monotonic() - began:.0f} s")
    print(path.with_suffix(".md"))


if __name__ == "__main__":
    script.guard(main, sys.argv[1:], again="begins anew; sections=NAME,... leaves out what is saved")
