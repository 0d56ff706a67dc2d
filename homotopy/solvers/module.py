"""A network of one's own: any `torch.nn.Module`, with its parameters as one vector per seed, as every network here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.utils import parameters_to_vector, vector_to_parameters


class ModuleNetwork:
    """A network as the solvers need it, such as `MLP`, made of the modules that a function builds.

    theta, of length `size` = P, holds those parameters of a module that require gradients, in the order of
    `parameters()`. The others (a frozen backbone) and buffers stay as they are in the module that is built first, the
    same for every seed, and nothing random may happen in a forward pass: PyTorch refuses batch norm's running
    statistics, and dropout, when many networks are evaluated at once.
    """

    def __init__(self, build: Callable[[], nn.Module]) -> None:
        """Take a function without arguments, or a class, that returns a new module with random parameters."""
        self._build = build
        self._module = self._drawn(0)

    def _drawn(self, seed: int) -> nn.Module:
        """Build a module with PyTorch's generators at `seed`; that of the CPU is as before afterwards."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._build()

    @property
    def is_new(self) -> bool:
        """Whether the function builds a new module whenever it is called, so that each seed has its own start."""
        return self._drawn(0) is not self._module

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return sum(parameter.numel() for _, parameter in _trained(self._module))

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Draw theta, float64 (P,): the parameters of a module that is built anew."""
        drawn = self._drawn(int(rng.integers(2**63)))
        return parameters_to_vector(parameter for _, parameter in _trained(drawn)).detach().double().cpu().numpy()

    def forward(self, theta: Tensor, x: Tensor) -> Tensor:
        """Apply S networks, theta (S, P), each to its own inputs x (S, B, inputs); returns (S, B, outputs)."""
        self._module.to(theta)  # what is not in theta
        return vmap(self._one)(theta, x)

    def _one(self, theta: Tensor, x: Tensor) -> Tensor:
        named = list(_trained(self._module))
        parts = theta.split([parameter.numel() for _, parameter in named])
        views = {name: part.view_as(parameter) for (name, parameter), part in zip(named, parts, strict=True)}
        return functional_call(self._module, views, (x,))

    def module(self, theta: Tensor) -> nn.Module:
        """Return a module of its own with the parameters theta (P,), and what is not in theta as it was trained."""
        found = copy.deepcopy(self._module).to(theta)
        copied = theta.detach().clone()  # parameters become views of it
        vector_to_parameters(copied, (parameter for _, parameter in _trained(found)))
        return found


def _trained(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad)
