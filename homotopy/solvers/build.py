"""The ensemble that suits a network and a device, and what it starts from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from homotopy.algorithm.corrector import Ensemble
from homotopy.progress import say_once
from homotopy.solvers import native
from homotopy.solvers.classifiers import ImageEnsemble
from homotopy.solvers.cuda_graph import GraphEnsemble
from homotopy.solvers.fused import FusedEnsemble
from homotopy.solvers.mlp import MLP
from homotopy.solvers.module import ModuleNetwork
from homotopy.solvers.optimizers import Optimizer
from homotopy.solvers.reference import AutogradEnsemble
from homotopy.solvers.vgg import VGG
from homotopy.streams import Purpose, generator

Network = MLP | ModuleNetwork | VGG


def build_ensemble(
    model: Network, optimizer: Optimizer, theta: Tensor, batch_size: int, *, bfloat16: bool = False
) -> Ensemble:
    """Return the ensemble made for the network, and for the device of theta (S, P).

    With `bfloat16` a classifier's layers compute in that type; other networks do not heed it.
    """
    if isinstance(model, VGG):
        return ImageEnsemble(model, optimizer, theta, batch_size, bfloat16=bfloat16)
    if type(model) is not MLP:  # the others compute an MLP's forward pass, whatever a subclass overrides
        return AutogradEnsemble(model, optimizer, theta, batch_size)
    if theta.device.type != "cpu":
        return GraphEnsemble(model, optimizer, theta, batch_size)
    try:
        return FusedEnsemble(model, optimizer, theta, batch_size)
    except native.Unavailable as reason:
        say_once(f"training with the slower reference solver: {reason}")
        return AutogradEnsemble(model, optimizer, theta, batch_size)


def initial_theta(model: Network, seeds: Sequence[int], device: torch.device, dtype: torch.dtype) -> Tensor:
    """Draw every seed's random initialisation, (S, P)."""
    draws = [model.initial(generator(seed, Purpose.INITIALISATION)) for seed in seeds]
    return torch.from_numpy(np.stack(draws)).to(device, dtype)
