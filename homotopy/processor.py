"""The processor of this machine, without PyTorch."""

from __future__ import annotations

import os
import platform
from pathlib import Path

_VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}  # by the flag of an x86, the widest first


def name() -> str:
    """Return its model and its widest vectors, "AMD EPYC, AVX-512": a model's name may stand for several processors."""
    path = Path("/proc/cpuinfo")
    lines = [line.partition(":") for line in (path.read_text().splitlines() if path.exists() else [])]
    said = {key.strip(): value.strip() for key, _, value in lines}
    model = said.get("model name") or platform.processor() or platform.machine()
    flags = said.get("flags", "").split()
    return ", ".join([model, *[vectors for flag, vectors in _VECTORS.items() if flag in flags][:1]])


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """Return how many threads PyTorch will start, unless it is told otherwise: as many as cores."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) else cores()
