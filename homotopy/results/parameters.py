"""Trained parameters on disk: for each seed a safetensors file that other programs can read, too.

It holds the state of the network's `torch.nn.Module` and, in its head, the network's settings.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from homotopy.errors import ResultError, shortened
from homotopy.results.files import write_atomic
from homotopy.solvers import NETWORKS
from homotopy.solvers.mlp import MLP
from homotopy.solvers.vgg import VGG

# of a file that is damaged, or whose network or settings this program does not know
_UNREADABLE = (safetensors.SafetensorError, OSError, RuntimeError, StopIteration, ValueError, KeyError, TypeError)


def path_of(folder: Path, seed: int) -> Path:
    """Return where a result folder has the parameters of a seed."""
    return folder / f"network-{seed}.safetensors"


def write(path: Path, network: MLP | VGG, theta: Tensor) -> None:
    """Write the parameters theta (P,) of a network, whole or not at all."""
    state = {name: value.cpu().contiguous() for name, value in network.module(theta).state_dict().items()}
    write_atomic(path, safetensors.torch.save(state, {"network": json.dumps(asdict(network))}))


def read(path: Path) -> nn.Module:
    """Return the trained network; raise ResultError where the file is missing or damaged."""
    if not path.exists():
        raise ResultError(f"{path} does not exist: parameters are kept where save=true was given before training")
    try:
        state = safetensors.torch.load_file(path)
        module = _empty(path, next(value.dtype for value in state.values() if value.is_floating_point()))
        module.load_state_dict(state)
    except _UNREADABLE as error:
        raise ResultError(f"{path} cannot be read: {shortened(error)}") from None
    return module


def _empty(path: Path, dtype: torch.dtype) -> nn.Module:
    with safetensors.safe_open(path, framework="pt") as file:
        settings = json.loads(file.metadata()["network"])
    network = NETWORKS[settings["name"]](**settings)
    return network.module(torch.zeros(network.size, dtype=dtype))
