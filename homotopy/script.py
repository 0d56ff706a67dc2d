"""How every script begins and ends: --help, KEY=VALUE arguments, errors of one line.

Nothing but the standard library is needed here.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from homotopy.errors import ConfigError, Interrupted, UserError, in_words, shortened
from homotopy.keys import names


def _say(message: str) -> None:
    print(f"error: {message}", file=sys.stderr, flush=True)


@contextmanager
def shown(what: str) -> Iterator[None]:
    """Say on a terminal what is being done, until it is done."""
    terminal = sys.stderr.isatty()
    if terminal:
        print(f"{what} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def guard(work: Callable[..., None], *arguments: Any, again: str = "begins anew") -> None:
    """Do the work; whatever stops it ends in one line on stderr and an exit status.

    The status is 2 for what the user can mend, 128 + the signal for an interruption, and 1 for what nobody foresaw,
    whose traceback goes to a file. `again` says what the same command does after an interruption.
    """
    try:
        work(*arguments)
    except UserError as error:
        _say(" ".join(str(error).split()))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # of what reads our output: `| head`, say
        sys.stdout = None  # type: ignore[assignment]  # which Python would flush at its end
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        _say(in_words(error))
        sys.exit(2)
    except Exception as error:
        say_unforeseen(error)
        sys.exit(1)
    except (Interrupted, KeyboardInterrupt) as interrupted:
        print(f"interrupted; the same command {again}", file=sys.stderr, flush=True)
        if isinstance(interrupted, Interrupted):
            sys.exit(interrupted.exit_code)
        sys.stdout.flush()
        os._exit(128 + signal.SIGINT)  # at once: Python's own exit waits for threads that still train


def say_unforeseen(error: Exception) -> None:
    """Say that nobody foresaw an error, and where its traceback is."""
    with tempfile.NamedTemporaryFile("w", prefix="homotopy-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    _say(f"{in_words(error)}; the traceback is in {file.name}")


class Parser(argparse.ArgumentParser):
    """Reads flags and values; what is wrong is an error of one line, and --help prints `description` as it is."""

    def __init__(self, description: str | None, **more: Any) -> None:
        name, formatter = f"python scripts/{Path(sys.argv[0]).name}", argparse.RawDescriptionHelpFormatter
        super().__init__(name, description=description, formatter_class=formatter, **more)

    def error(self, message: str) -> NoReturn:
        """Raise UserError."""
        raise UserError(message)


def options(
    about: str | None, arguments: Sequence[str], defaults: Mapping[str, str], words: str = ""
) -> dict[str, str]:
    """Read the KEY=VALUE arguments of a script; with --help print `about` and end.

    Words without a key are values of the key `words`, such as figures. Raises UserError for an unknown key.
    """
    word, pair = f"[{words.rstrip('s').upper()} ...] " if words else "", "[KEY=VALUE ...]"
    without = " ".join(["without arguments:", *(f"{key}={value}" for key, value in defaults.items())])
    parser = Parser(about, usage=f"%(prog)s {word}{pair}", epilog=textwrap.fill(without, 120, break_on_hyphens=False))
    parser.add_argument("pairs", nargs="*", help=argparse.SUPPRESS)
    found, flags = parser.parse_known_args(arguments)
    given: dict[str, str] = {}
    for argument in [*found.pairs, *flags]:
        key, equals, value = at_home(argument).partition("=")
        if words and not equals and argument not in flags:
            key, value = words, ",".join(filter(None, [given.get(words), argument]))
        elif not equals or key not in defaults:
            raise UserError(f"{shortened(argument)}: must be KEY=VALUE with a key of {', '.join(defaults)}")
        elif not value and defaults[key]:
            raise ConfigError(key, value, f"given (without it: {defaults[key]})")
        given[key] = value
    return {**defaults, **given}


def at_home(argument: str) -> str:
    """Return KEY=~/images with the user's home in the place of ~, as if a shell had read it."""
    return re.sub(r"(?<==)~(?=/|$)", lambda _: str(Path.home()), argument)  # who has no home may do without ~


def listed(key: str, value: str, known: Collection[str]) -> list[str]:
    """Return the names in the value of a key, such as fig1,fig8; raise ConfigError for one that is not `known`."""
    found = list(dict.fromkeys(name for name in value.split(",") if name))
    for name in found:
        if name not in known:
            raise ConfigError(key, name, f"one of {', '.join(known)}")
    return found


def page(template: str) -> str:
    """Return a help page: a line "  {group}" of the template becomes the group with its choices."""
    lines = []
    for line in template.splitlines():
        group = re.fullmatch(r"  {(\w+)}", line)
        lines += _choices(group[1]) if group else [line]
    return "\n".join(lines)


def _choices(group: str) -> list[str]:
    start = f"  {group:<12}"
    return textwrap.wrap(", ".join(names(group)), 100, initial_indent=start, subsequent_indent=" " * len(start))
