"""The correctors: stochastic gradient steps for all seeds at once, in C++, on a GPU and in plain PyTorch."""

from __future__ import annotations

from homotopy.solvers.mlp import MLP
from homotopy.solvers.siren import Siren
from homotopy.solvers.vgg import VGG

NETWORKS: dict[str, type[MLP | VGG]] = {"mlp": MLP, "siren": Siren, "vgg": VGG}
