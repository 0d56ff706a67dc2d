"""The machine: what it is called in file names, what it is, and how fast it multiplies matrices."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import torch

from homotopy.results.provenance import hardware, version

PRODUCT_SIZES = (512, 1024)
REPEATS = 8  # products per turn


def processor() -> str:
    """Return the processor's model, as the system names it, and its widest vectors."""
    return hardware(torch.device("cpu"))


def gpus() -> list[str]:
    """Return the model of the first GPU, if there is one: the benchmark uses no other."""
    return [hardware(torch.device("cuda", 0))] if torch.cuda.is_available() else []


def slug() -> str:
    """Return the machine's name for files: processor, number of cores and GPU, never the host's name."""
    name = " ".join([processor(), f"{os.cpu_count()} cores", *gpus()])
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("(r)", "").replace("(tm)", "")).strip("-")


def describe() -> dict[str, Any]:
    """Return what stays of the machine and what a reader needs to compare it with another."""
    return {
        "name": slug(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpus": gpus(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }


def present() -> dict[str, Any]:
    """Return when a section is measured, and with what may be another when the next one is."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("torch", "numpy", "jax")},
    }


def _multiply(matrix: torch.Tensor, products: int) -> None:
    out = torch.empty_like(matrix)
    for _ in range(products):
        torch.mm(matrix, matrix, out=out)


def products() -> dict[str, Callable[[], object]]:
    """Return contestants that multiply square float32 matrices: one team of all threads, and each core its own."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

    def team(matrix: torch.Tensor) -> None:
        _multiply(matrix, threads * REPEATS)

    def cores(matrix: torch.Tensor) -> None:
        list(pool.map(_multiply, [matrix] * threads, [REPEATS] * threads))

    contestants: dict[str, Callable[[], object]] = {}
    for size in PRODUCT_SIZES:
        matrix = torch.randn(size, size)
        contestants[f"product {size}"] = partial(team, matrix)
        contestants[f"product {size} per core"] = partial(cores, matrix)
    return contestants


def product_rate(seconds: dict[str, np.ndarray]) -> np.ndarray:
    """Return the machine's rate in each turn, FLOP/s (rounds,), from the times of `products`: the best way to multiply.

    The best is the one with the highest median, so that a lucky turn does not choose it.
    """
    names = {name: int(name.split()[1]) for name in seconds if name.startswith("product ")}
    work = 2 * REPEATS * torch.get_num_threads()
    rates = [work * size**3 / seconds[name] for name, size in names.items()]
    return max(rates, key=lambda rate: float(np.median(rate)))
