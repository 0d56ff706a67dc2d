"""Do everything, in order: train the figures' experiments, draw, write the report. `make reproduce` calls this.

examples:
  python scripts/reproduce.py                the paper with fewer seeds
  python scripts/reproduce.py profile=paper results.root=DIR

In profile paper it also trains what answers the report's other questions.

Profile paper alone needs whole image data sets, and downloads them. An experiment that cannot run (a data set that is
neither here nor to be downloaded, say) does not stop the others; it is named at the end, with the command that repeats
it and what to do about the data, and the exit status is 1.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from _start import imports

with imports():
    from homotopy import keys, script, user_folders
    from homotopy.results.comparison import differences, inexact
    from homotopy.results.files import RUNS
    from homotopy.results.library import Place
    from homotopy.tasks.datasets import unusable

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENTS = (
    "fig4", "fig5", "fig6", "fig7", "theory", "limit", "fig1", "fig8", "fig2a", "fig2b", "omega_gamma", "appendix_c",
    "fig3a", "fig3b",
)  # fmt: skip
# in profile paper
BEYOND = (
    "map", "sensitivity", "ablation", "adaptive", "search_fashion", "search_cifar", "sensitivity_pairing",
    "screen_fashion", "screen_cifar", "screen_glorot", "first_fashion", "first_cifar", "slow_fashion", "glorot_fashion",
    "slow_cifar", "frequency", "limits", "today", "schedules", "why",
)  # fmt: skip


def steps(profile: str, root: str) -> list[list[str]]:
    """Return the commands, each as arguments to Python."""
    options = [f"profile={profile}", f"results.root={root}"]
    whole = profile == "paper"
    download = [["scripts/data.py"]] if whole else []
    train = [["scripts/train.py", f"experiment={name}", *options] for name in EXPERIMENTS + (BEYOND if whole else ())]
    return [*download, *train, ["scripts/plot.py", *options], ["scripts/report.py", *options]]


def run(command: list[str]) -> int:
    """Run a step and return its exit status; Ctrl-C reaches it, too, and may have to wait for its checkpoint.

    Raises KeyboardInterrupt once a step has ended by Ctrl-C.
    """
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, lambda *_: None)  # without it subprocess kills the step a quarter of a second later
    try:
        status = subprocess.run([sys.executable, *command], cwd=ROOT).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    if status in (-signal.SIGINT, 128 + signal.SIGINT):
        raise KeyboardInterrupt
    return status


def main(arguments: list[str]) -> None:
    """Run every step; exit 1 if one failed."""
    options = script.options(
        __doc__, arguments, {"profile": "quick", "results.root": os.path.relpath(ROOT / "results")}
    )
    results = options["results.root"]
    if not Path(results).is_absolute():
        results = os.path.relpath(results, ROOT)  # from where the steps run
    keys.check_choice("profile", options["profile"])
    failed, began = [], time.monotonic()
    for command in steps(options["profile"], results):
        print(f"[{time.monotonic() - began:5.0f} s] {shlex.join(['python', *command])}", file=sys.stderr, flush=True)
        if run(command):
            failed.append(command)
    for command in failed:
        print(f"failed; repeat it with: {shlex.join(['python', *command])}", file=sys.stderr)
    root = ROOT / user_folders.data()
    for line in unusable(root) if options["profile"] == "paper" else []:
        print(f"left out: {line}", file=sys.stderr)
    place = Place(ROOT / results, options["profile"])
    print(made(place, time.monotonic() - began), file=sys.stderr)
    for line in equal(place, Place(ROOT / "results", "paper")):
        print(line, file=sys.stderr)
    sys.exit(1 if failed else 0)


def made(place: Place, seconds: float) -> str:
    """Return in a few lines what there is now, where it is, and how long it took."""
    reports = [path for name in ("REPORT.html", "REPORT.md") if (path := place.folder / name).exists()]
    figures = len(list(place.figures.glob("*.png")))
    return "\n".join(
        [
            f"done in {seconds / 60:.0f} min",
            *(f"report:  {path}" for path in reports),
            f"figures: {figures} in {place.figures}",
            f"runs:    {shlex.join(['python', 'scripts/status.py', *place.options])}",
        ]
    )


def equal(place: Place, committed: Place) -> list[str]:
    """Say how many of a place's runs of the sine study are equal to committed ones, and which are not.

    Committed ones are those of the same configuration and seed; nothing is said where there are none. Left out are runs
    whose digits are not promised (docs/determinism.md).
    """
    made, saved = place.folder.resolve(), committed.folder.resolve()
    same, others = 0, []
    for folder in sorted(saved.glob("sine-*/*")) if made != saved else []:
        again = made / folder.relative_to(saved)
        if not (again / RUNS).exists():
            continue
        unsure = inexact(folder) | inexact(again)
        found = {seed: told for seed, told in differences(folder, again).items() if seed not in unsure}
        same += list(found.values()).count(None)
        others += [f"differs: {again}, seed {seed}" for seed, difference in found.items() if difference]
    compared = f"equal:   {same} of {same + len(others)} runs that {saved} has, too, to the last digit"
    return [compared, *others] if same or others else []


if __name__ == "__main__":
    script.guard(main, sys.argv[1:], again="goes on from the last checkpoint")
