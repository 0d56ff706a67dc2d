"""The memory that one more seed costs, from the peak of processes that train few and many."""

from __future__ import annotations

import resource
from pathlib import Path

from benchmark.processes import in_new_process
from benchmark.solvers import epoch_of
from homotopy.solvers.fused import FusedEnsemble
from homotopy.solvers.mlp import MLP


def own_peak() -> int:
    """Return this process's peak resident memory in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux counts the peak of the process that started this one into ru_maxrss
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _peak(seeds: int, samples: int) -> int:
    epoch_of(FusedEnsemble, MLP(), 128, seeds, samples)()
    return own_peak()


def peak(seeds: int, samples: int) -> int:
    """Return the peak resident memory in bytes of a new process that trains one epoch."""
    return in_new_process(_peak, seeds, samples)
