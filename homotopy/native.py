"""C++ beside the Python that calls it: compiled for this machine when first needed, and kept for the next time."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from homotopy.files import sha256

# Not -ffast-math: sums keep their order. A product and the sum it goes to are one operation wherever the processor has
# it, and a square root of a negative number sets no errno, which would forbid vectors.
FLAGS = ("-std=c++17", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fPIC", "-shared")
THIS_MACHINE = "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native"


class Unavailable(Exception):
    """C++ cannot be compiled or loaded here; the text says why, in one line."""


def compiler() -> str:
    """Return the C++ compiler: $CXX, or the first that is installed; raise Unavailable if there is none."""
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise Unavailable(f"there is no C++ compiler ({', '.join(names)})")
    return found


@cache
def load(source: Path, *options: str, target: str = THIS_MACHINE) -> ctypes.CDLL:
    """Compile a source for a target, unless that was done before, and load it; raise Unavailable if it cannot be.

    What is compiled is kept in the user's cache, by source, options, compiler and processor: several machines may
    share a home.
    """
    command = [compiler(), *FLAGS, target, *options]
    # what the compiler defines names itself, its version and the processor's instructions
    defined = _run([*command, "-dM", "-E", "-x", "c++", os.devnull])
    built = _folder() / f"{source.stem}-{sha256(source.read_bytes() + ' '.join(command).encode() + defined)[:16]}.so"
    if not built.exists():
        with tempfile.TemporaryDirectory(dir=built.parent) as beside:
            _run([*command, str(source), "-o", f"{beside}/built"])
            os.replace(f"{beside}/built", built)  # whole: other processes may be doing the same
    try:
        return ctypes.CDLL(str(built))
    except OSError as error:
        raise Unavailable(str(error)) from error


def _folder() -> Path:
    """Return where to keep what is compiled: the user's cache, or, if that cannot be written, a temporary folder."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homotopy"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="homotopy-"))
    return folder if os.access(folder, os.W_OK) else Path(tempfile.mkdtemp(prefix="homotopy-"))


def _run(command: list[str]) -> bytes:
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines()
        error = next((line for line in lines if "error" in line), f"exit status {done.returncode}")
        raise Unavailable(f"{command[0]}: {error}")
    return done.stdout
