"""C++ beside the Python that calls it: compiled for this machine when first needed, and kept for the next time."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from homotopy import user_folders
from homotopy.errors import UserError, shortened

# Not -ffast-math: sums keep their order. A product and the sum it goes to are one operation where the source says so
# and nowhere else, and a square root of a negative number sets no errno, which would forbid vectors.
FLAGS = ("-std=c++17", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared")
THIS_MACHINE = "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native"


class Unavailable(UserError):
    """C++ cannot be compiled or loaded here."""


def compiler() -> list[str]:
    """Return the command of the C++ compiler: $CXX, or the first that is installed; raise Unavailable without one."""
    try:
        own = shlex.split(os.environ.get("CXX", ""))
    except ValueError as error:  # a quotation mark without its other one
        raise Unavailable(f"CXX={os.environ['CXX']}: {error}") from error
    choices = [own] if own else [["c++"], ["g++"], ["clang++"]]
    for name, *arguments in choices:
        if found := shutil.which(name):
            return [found, *arguments]
    raise Unavailable(f"there is no C++ compiler ({', '.join(map(shlex.join, choices))})")


@cache
def load(source: Path, *options: str) -> ctypes.CDLL:
    """Compile a source for this machine, unless that was done before, and load it; raise Unavailable if it cannot be.

    What is compiled is kept in the user's cache, by source, command, compiler and processor: several machines may
    share a home.
    """
    try:
        command = [*compiler(), *FLAGS, THIS_MACHINE, *options]
        # what the compiler defines names itself, its version and the processor's instructions
        defined = _run([*command, "-dM", "-E", "-x", "c++", os.devnull])
        key = hashlib.sha256(source.read_bytes() + shlex.join(command).encode() + defined).hexdigest()[:16]
        with _folder() as folder:
            built = folder / f"{source.stem}-{key}.so"
            if built.exists():
                try:
                    return ctypes.CDLL(str(built))
                except OSError:  # damaged: made again, by each process that sees it
                    built.unlink(missing_ok=True)
            with TemporaryDirectory(dir=folder) as beside:
                _run([*command, str(source), "-o", f"{beside}/built"])
                os.replace(f"{beside}/built", built)  # whole: other processes may be doing the same
            return ctypes.CDLL(str(built))
    except OSError as error:
        raise Unavailable(shortened(error)) from error


@contextmanager
def _folder() -> Iterator[Path]:
    """Return where to keep what is compiled: the user's cache, or a temporary folder where that cannot be written."""
    try:
        folder = user_folders.cache()
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        writable = False
    if writable:
        yield folder
    else:
        with TemporaryDirectory(prefix="homotopy-") as name:
            yield Path(name)


def _run(command: list[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines()
        error = next((line for line in lines if "error:" in line), f"exit status {done.returncode}")
        raise Unavailable(f"{command[0]}: {shortened(error)}")
    return done.stdout
