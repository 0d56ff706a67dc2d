"""The threads that PyTorch's solvers compute in: each solver has its own, so that the caller's stay as they are."""

from __future__ import annotations

import torch


def start_thread(kernel_threads: int) -> None:
    """Set up the thread that calls this, as PyTorch keeps both settings for each thread.

    It flushes subnormal numbers to zero, and so do the threads of PyTorch that it starts: the moments of units that are
    off decay into them, and on some processors an operation on one takes many times as long. What they would add to a
    parameter is below its last bit. Its kernels compute in `kernel_threads`: else in as many as PyTorch was last told.
    """
    torch.set_flush_denormal(True)
    torch.set_num_threads(kernel_threads)
