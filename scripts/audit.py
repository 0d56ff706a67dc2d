"""Train committed runs again, and compare their rows of runs.csv.gz with the saved ones.

Every row must be equal to the byte; the first that differs is shown, and the exit status is 1. Image runs that another
processor made may deviate: losses by half of the larger one, accuracies by 0.1. Runs by AutogradEnsemble (sine
activations) are left out, as their digits depend on the seeds that train together. Nothing is written below
results.root.

examples:
  python scripts/audit.py                    two runs of the sine study, chosen at random
  python scripts/audit.py runs=10 choice=7   ten, the same ones each time
  python scripts/audit.py runs=fig1          every run of an experiment; runs=all: of all of them
"""

from __future__ import annotations

import secrets
import sys

from _start import imports

with imports():
    from homotopy import script
    from homotopy.errors import ConfigError
    from homotopy.results.library import Place
    from homotopy.training import audit


def main(arguments: list[str]) -> None:
    """Audit the runs that are asked for."""
    defaults = {"runs": "2", "choice": "", "profile": "paper", "results.root": "results"}
    options = script.options(__doc__, arguments, defaults)
    choice = options["choice"] or str(secrets.randbelow(10**6))
    if not choice.isdecimal():
        raise ConfigError("choice", choice, "an integer of at least 0 (the seed of the choice)")
    place = Place.of(options)
    pairs = audit.chosen(options["runs"], place, int(choice))
    chosen = f" (choice={choice})" if options["runs"].isdecimal() else ""
    print("\n".join([f"to be trained again{chosen}:", *(f"  {pair}" for pair in pairs)]), flush=True)
    equal = 0
    for pair in pairs:
        difference, seconds = audit.check(pair, place)
        equal += difference is None
        may_deviate = audit.tolerance(pair, place) is not None
        if difference is None:
            verdict = f"equal{' within the tolerance for another processor' if may_deviate else ''}"
        else:
            verdict = f"differs{' by more than it may' if may_deviate else ''}: {difference}"
        print(f"{pair}, {seconds:.1f} s: {verdict}", flush=True)
    print(f"{equal} of {len(pairs)} equal")
    if equal < len(pairs):
        sys.exit(1)


if __name__ == "__main__":
    script.guard(main, sys.argv[1:], again="begins anew: an audit keeps nothing")
