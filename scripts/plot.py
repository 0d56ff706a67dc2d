"""Draw figures from saved results, without training: `python scripts/plot.py profile=paper figures=fig1,fig2a`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from homotopy import cli  # noqa: E402  (found beside this folder, installed or not)
from homotopy.errors import ConfigError, ResultError  # noqa: E402
from homotopy.figures.loading import Place  # noqa: E402
from homotopy.figures.registry import FIGURES  # noqa: E402


def main(arguments: list[str]) -> None:
    """Draw the figures asked for, or all that have results; name those that have none."""
    options = cli.options(arguments, {"profile": "quick", "results.root": "results", "figures": ""})
    place = Place(Path(options["results.root"]), options["profile"])
    chosen = [name for name in options["figures"].split(",") if name]
    for name in chosen:
        if name not in FIGURES:
            raise ConfigError("figures", name, f"among {', '.join(FIGURES)}")
    for name in chosen or FIGURES:
        try:
            print(*FIGURES[name](place), sep="\n")
        except ResultError as error:
            if chosen:
                raise
            print(f"left out: {error}", file=sys.stderr)


if __name__ == "__main__":
    cli.guard(main, sys.argv[1:])
