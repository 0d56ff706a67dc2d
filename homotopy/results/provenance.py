"""Where results come from: the code, the command and the machine."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from homotopy import processor

# what can change a run's numbers; results are tracked too, and change with every run
_CODE = ("homotopy", "conf", "scripts", "pyproject.toml", "requirements*.txt")
_ROOT = Path(__file__).resolve().parents[2]


def _git(*arguments: str, root: Path = _ROOT) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=root)
    except OSError:
        return None  # no git here
    return done.stdout.strip() if done.returncode == 0 else None


def is_dirty(root: Path = _ROOT) -> bool:
    """Return whether code differs from the commit. Untracked files do not count: only changed code reaches them."""
    return bool(_git("status", "--porcelain", "--untracked-files=no", "--", *_CODE, root=root))


# of the code that runs, which is the code at import: the checkout may move on during a long study
COMMIT = _git("rev-parse", "HEAD")
DIRTY = is_dirty()


def provenance(device: torch.device) -> dict[str, Any]:
    """Return command, commit, versions and hardware of this process."""
    return {
        "command": shlex.join(["python", *sys.argv]),
        "commit": COMMIT,
        "dirty": DIRTY,
        "device": device.type,
        "threads": torch.get_num_threads(),
        "hardware": hardware(device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    }


def version(package: str) -> str | None:
    """Return the version of an installed package, None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def hardware(device: torch.device) -> str:
    """Return the name of the processor that computes."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor.name()
