"""What computes: the device, its threads and its precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from homotopy.config import DEVICES, Config, is_device
from homotopy.errors import ConfigError
from homotopy.progress import say_once

# of parameters and data; with bfloat16 only the layers compute in it
DTYPES = {"float32": torch.float32, "tf32": torch.float32, "float64": torch.float64, "bfloat16": torch.float32}


@dataclass(frozen=True)
class Machine:
    """Where tensors live, and the type of parameters and data."""

    device: torch.device
    dtype: torch.dtype


def choose_device(name: str) -> torch.device:
    """Return the device of that name, a GPU with its index; raise ConfigError if it is not here.

    auto is the CPU, and says so where there is a GPU: the CUDA path has not been run on one yet.
    """
    if name == "cpu":
        return torch.device(name)
    gpus = torch.cuda.device_count()
    if name == "auto":
        if gpus:
            say_once("training on the CPU: there is a GPU, and runtime.device=cuda uses it, which was not tried yet")
        return torch.device("cpu")
    if not is_device(name):
        raise ConfigError("runtime.device", name, DEVICES)
    device = torch.device(name)
    if device.type == "cuda":
        device = torch.device("cuda", device.index or 0)  # torch.cuda.set_device refuses one without an index
        if device.index >= gpus:
            here = ", ".join(["auto", "cpu", *(f"cuda:{n}" for n in range(gpus))])
            raise ConfigError("runtime.device", name, f"{here}: PyTorch sees {gpus} GPUs here")
    return device


def prepare(config: Config) -> Machine:
    """Set this process up to train: its device, its threads and the precision of its matrix products."""
    device = choose_device(config.runtime.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # the one on which graphs are recorded and replayed
    check_precision(config.precision, device)
    allow_tf32(config.precision == "tf32")
    if config.runtime.threads:
        torch.set_num_threads(config.runtime.threads)
    return Machine(device, DTYPES[config.precision])


@contextmanager
def as_before() -> Iterator[None]:
    """Leave PyTorch's GPU, its threads and the precision of its products as they were: what `prepare` sets."""
    threads, products = torch.get_num_threads(), torch.get_float32_matmul_precision()
    convolutions = torch.backends.cudnn.allow_tf32
    gpu = torch.cuda.current_device() if torch.cuda.is_initialized() else 0
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions
        if torch.cuda.is_initialized():
            torch.cuda.set_device(gpu)


def check_precision(name: str, device: torch.device) -> None:
    """Raise ConfigError if the device cannot compute in the precision of that name."""
    if name == "tf32" and device.type != "cuda":
        raise ConfigError("precision", name, "float32 or float64 on a CPU: only a GPU computes in TF32")


def allow_tf32(allowed: bool) -> None:
    """Let a GPU compute float32 products and convolutions in TF32, or not: PyTorch's defaults differ for the two."""
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    torch.backends.cudnn.allow_tf32 = allowed


def group_width(config: Config, device: torch.device) -> int:
    """Return how many seeds train together at most: on a GPU all, on a CPU a number for every thread."""
    if config.runtime.seeds_at_once or device.type != "cpu":
        return config.runtime.seeds_at_once or len(config.seeds)
    return config.model.seeds_per_thread * torch.get_num_threads()
