"""Draw figures from saved results, without training.

examples:
  python scripts/plot.py                     all that have results in results/quick
  python scripts/plot.py fig1 fig2a profile=paper results.root=DIR
  python scripts/plot.py fig8 budget.k=6     what `train.py experiment=fig8 budget.k=6` made, in a folder of its own

Other keys are those of scripts/train.py.
"""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from _start import imports

with imports():
    from homotopy import script
    from homotopy.errors import ResultError
    from homotopy.figures.registry import FIGURES
    from homotopy.results.library import Place, telling


def attempt(place: Place, name: str) -> list[Path] | str:
    """Draw one figure; return its files, or why it cannot be drawn."""
    try:
        return FIGURES[name](place)
    except ResultError as error:
        return str(error)


def tell(found: list[Path] | str, required: bool) -> None:
    """Print the files, or what is missing; raise ResultError for that if the figure was asked for."""
    if not isinstance(found, str):
        print(*found, sep="\n")
    elif required:
        raise ResultError(found)
    else:
        print(f"left out: {found}", file=sys.stderr)


def main(arguments: list[str]) -> None:
    """Draw the figures asked for, or all that have results, side by side; name those that have none."""
    defaults = {"profile": "quick", "results.root": "results", "figures": ""}
    others = [text for text in arguments if "=" in text and text.partition("=")[0] not in defaults]
    options = script.options(__doc__, [text for text in arguments if text not in others], defaults, words="figures")
    place = Place.of(options, telling(others))
    experiments = [text.removeprefix("experiment=") for text in others if text.startswith("experiment=")]
    chosen = script.listed("figures", ",".join([options["figures"], *experiments]), FIGURES)
    names = chosen or list(FIGURES)
    with ProcessPoolExecutor(initializer=gc.disable) as pool:  # collecting takes an eighth of the time
        for found in pool.map(partial(attempt, place), reversed(names)):  # the slow ones stand last: start with them
            tell(found, bool(chosen))


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
