"""What tests do to the machine: processes without the seconds that a new interpreter takes, and small disks."""

from __future__ import annotations

import ctypes
import os
import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import pytest
import torch

from homotopy.solvers import fused, native

ROOT = Path(__file__).resolve().parents[1]
_NEW_MOUNTS, _NEW_USER, _READ_ONLY, _REMOUNT, _PRIVATE = 0x20000, 0x10000000, 0x1, 0x20, 0x44000


def _no_cpp() -> str:
    """Return why C++ cannot be compiled here, nothing if it can."""
    try:
        fused.library(torch.float32)
    except native.Unavailable as reason:
        return str(reason)
    return ""


needs_cpp = pytest.mark.skipif(bool(_no_cpp()), reason=_no_cpp())
needs_x86 = pytest.mark.skipif(
    not torch.backends.cpu.get_cpu_capability().startswith("AVX"), reason="flushing is known to work on x86"
)


def in_child(work: Callable[[], object]) -> int:
    """Start `work` in a process of its own and return its number; it ends with 0, or 99 after an exception."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


class Done(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def command(*arguments: str) -> Done:
    """Run a script of this repository as `python` would, from its root."""
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:

        def work() -> None:
            os.chdir(ROOT)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
            sys.argv = list(arguments)
            code = 0
            try:
                runpy.run_path(arguments[0], run_name="__main__")
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1 if end.code else 0
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

        code = status(in_child(work))
        return Done(code, *(os.pread(file.fileno(), 1 << 20, 0).decode() for file in (out, err)))


def status(child: int) -> int:
    """Wait for a process and return its exit status, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _call(function: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{function} is not allowed here")


def own_mounts() -> None:
    """Let this process mount what nobody else sees."""
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _NEW_MOUNTS | (_NEW_USER if user else 0))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _call("mount", b"none", b"/", None, _PRIVATE, None)


def mount_disk(path: Path, size: str) -> None:
    """Mount an empty disk of some size, such as 64k, which lives in memory."""
    path.mkdir(exist_ok=True)
    _call("mount", b"tmpfs", str(path).encode(), b"tmpfs", 0, f"size={size}".encode())


def make_read_only(path: Path) -> None:
    """Allow no more changes of a mounted disk."""
    _call("mount", None, str(path).encode(), None, _REMOUNT | _READ_ONLY, None)


def needs_mounts() -> None:
    """Skip a test where this user may not mount anything."""
    if status(in_child(own_mounts)) != 0:
        pytest.skip("needs a system that lets this user mount a small disk (unshare, mount)")
