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


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, cwd=Path(__file__).parent)
    except OSError:
        return None  # no git here
    return done.stdout.strip() if done.returncode == 0 else None


# of the code that runs, which is the code at import: the checkout may move on during a long study
COMMIT = _git("rev-parse", "HEAD")
DIRTY = bool(_git("status", "--porcelain", "--untracked-files=no"))


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
