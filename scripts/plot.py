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
from pathlib import Path

from _start import imports

with imports():
    from homotopy import script
    from homotopy.errors import ConfigError, ResultError
    from homotopy.figures.registry import FIGURES
    from homotopy.results.library import Place, telling


def draw(place: Place, name: str) -> list[Path]:
    """Draw one figure; return its files."""
    return FIGURES[name](place)


def tell(error: ConfigError | ResultError, required: bool) -> None:
    """Say why a figure cannot be drawn, since it has no results or not the keys; raise it if that was asked for."""
    if required:
        raise error
    if isinstance(error, ResultError):
        print(f"left out: {error}", file=sys.stderr)


def main(arguments: list[str]) -> None:
    """Draw the figures asked for, or all that have results, side by side; name those that have none."""
    defaults = {"profile": "quick", "results.root": "results", "figures": ""}
    others = [text for text in arguments if "=" in text and text.partition("=")[0] not in defaults]
    options = script.options(__doc__, [text for text in arguments if text not in others], defaults, words="figures")
    place = Place.of(options, telling(others))
    experiments = [text.removeprefix("experiment=") for text in others if text.startswith("experiment=")]
    chosen = script.listed("figures", ",".join([options["figures"], *experiments]), FIGURES)
    names = list(reversed(chosen or list(FIGURES)))  # the slow ones stand last: start with them
    unfit, unforeseen = {}, None
    with ProcessPoolExecutor(initializer=gc.disable) as pool:  # collecting takes an eighth of the time
        drawn = [pool.submit(draw, place, name) for name in names]
        for name, files in zip(names, drawn, strict=True):
            try:
                print(*files.result(), sep="\n")
            except (ConfigError, ResultError) as error:
                tell(error, bool(chosen))
                if isinstance(error, ConfigError):
                    unfit[name] = error
            except Exception as error:  # said at the end, as the others can be drawn
                unforeseen = unforeseen or error
    if unforeseen:
        raise unforeseen
    if len(unfit) == len(names):
        raise unfit[names[0]]
    if unfit:
        print(f"left out: {', '.join(unfit)}, whose experiments do not have these keys", file=sys.stderr)


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
