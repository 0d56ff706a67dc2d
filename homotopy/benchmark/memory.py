"""The memory that one more seed costs, from the peak of processes that train few and many."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from concurrent.futures import ProcessPoolExecutor

from homotopy.benchmark.solvers import epoch_of
from homotopy.fused import FusedEnsemble
from homotopy.models import MLP


def _peak(seeds: int, samples: int) -> int:
    epoch_of(FusedEnsemble, MLP(), 128, seeds, samples)()
    kilobytes = sys.platform != "darwin"  # the unit of ru_maxrss
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if kilobytes else 1)


def peak(seeds: int, samples: int) -> int:
    """Return the peak resident memory in bytes of a new process that trains one epoch."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_peak, seeds, samples).result()
