"""The regression network with sine activations: SIREN (Sitzmann et al. 2020, arXiv 2006.09661). Beyond the paper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from homotopy.settings import not_set, positive, rule
from homotopy.solvers.mlp import MLP


@dataclass(frozen=True)
class Siren(MLP):
    """An MLP whose hidden layers are sin(scale (x W + b)), with the initialisation of its paper and reference code.

    `scale` is their omega_0, 30 there. Parameters lie in theta as an MLP's do.
    """

    init: str = not_set("siren")
    name: str = "siren"
    scale: float = rule(positive, "a number above 0 (omega_0, in front of every sine's argument)", default=30.0)

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Draw theta, float64 (P,).

        Weights are uniform within 1/fan_in in the first layer and within sqrt(6/fan_in)/scale in the others (Section
        3.2 there), biases within 1/sqrt(fan_in), as the reference code leaves them.
        """
        parts = []
        for i, (fan_in, fan_out) in enumerate(self.layers):
            bound = np.sqrt(6 / fan_in) / self.scale if i else 1 / fan_in
            bias_bound = 1 / np.sqrt(fan_in)
            parts += [rng.uniform(-bound, bound, fan_in * fan_out), rng.uniform(-bias_bound, bias_bound, fan_out)]
        return np.concatenate(parts)

    def activation(self) -> nn.Module:
        """Return what follows each hidden layer."""
        return ScaledSine(self.scale)


class ScaledSine(nn.Module):
    """sin(scale x)."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Return it elementwise, for x of any shape."""
        return torch.sin(self.scale * x)
