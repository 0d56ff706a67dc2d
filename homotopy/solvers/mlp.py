"""The regression network: a multilayer perceptron whose parameters are one vector per seed.

Section 5.1: six hidden layers of 100 ReLU units. The paper does not state the initialisation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from homotopy.settings import at_least, not_set, rule, within


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], bound: float) -> np.ndarray:
    return rng.uniform(-bound, bound, size=shape)


def pytorch_default(
    rng: np.random.Generator, fan_in: int, fan_out: int, kernel: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """`torch.nn.Linear`'s and `Conv2d`'s default: weights and biases uniform within 1/sqrt(kernel fan_in).

    As the other initialisations, it returns weights (kernel fan_in, fan_out) and biases (fan_out,); `kernel` is the
    number of a convolution's places, fan_in and fan_out are units or channels.
    """
    bound = 1 / np.sqrt(kernel * fan_in)
    return _uniform(rng, (kernel * fan_in, fan_out), bound), _uniform(rng, (fan_out,), bound)


def glorot_zero_bias(
    rng: np.random.Generator, fan_in: int, fan_out: int, kernel: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Keras's default: Glorot uniform weights within sqrt(6/(fan_in + fan_out)), zero biases.

    Of a convolution it is within sqrt(6/(kernel fan_in + fan_out)), which is nearly He's and was meant to be Glorot's:
    results carry this name, so it stays. `glorot_kernel_zero_bias` is Keras's there, too.
    """
    bound = np.sqrt(6 / (kernel * fan_in + fan_out))
    return _uniform(rng, (kernel * fan_in, fan_out), bound), np.zeros(fan_out)


def glorot_kernel_zero_bias(
    rng: np.random.Generator, fan_in: int, fan_out: int, kernel: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Keras's default also of a convolution: Glorot uniform within sqrt(6/(kernel (fan_in + fan_out))), zero biases."""
    bound = np.sqrt(6 / (kernel * (fan_in + fan_out)))
    return _uniform(rng, (kernel * fan_in, fan_out), bound), np.zeros(fan_out)


def he_zero_bias(rng: np.random.Generator, fan_in: int, fan_out: int, kernel: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """He uniform weights within sqrt(6/(kernel fan_in)), zero biases."""
    return _uniform(rng, (kernel * fan_in, fan_out), np.sqrt(6 / (kernel * fan_in))), np.zeros(fan_out)


INITIALISATIONS = {f.__name__: f for f in (pytorch_default, glorot_zero_bias, he_zero_bias)}  # of dense layers


@dataclass(frozen=True)
class MLP:
    """A ReLU network with `depth` hidden layers of `width` units.

    Its parameters are one vector theta of length `size` = P: layer by layer the weight (fan_in, fan_out),
    row by row, then the bias (fan_out,). Functions take a stack of S such vectors, (S, P).
    """

    inputs: int = not_set(1)
    width: int = rule(at_least(1), "an integer of at least 1 (units per hidden layer)", default=100)
    depth: int = rule(within(1, 1000), "an integer from 1 to 1000 (hidden layers)", default=6)
    outputs: int = not_set(1)
    init: str = rule(lambda v: v in INITIALISATIONS, ", ".join(INITIALISATIONS), default="pytorch_default")
    name: str = "mlp"
    precisions: ClassVar[tuple[str, ...]] = ("float32", "tf32", "float64")
    seeds_per_thread: ClassVar[int] = 16  # that train together; with fewer, each takes longer (`make bench`)

    def network(self, deformation: Any) -> Self:
        """Return this network for as many inputs and outputs as the deformation's data have."""
        data = deformation.target()
        return replace(self, inputs=data.x.shape[-1], outputs=data.y.shape[-1])

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(fan_in, fan_out) of every layer, the output layer included."""
        units = [self.inputs, *[self.width] * self.depth, self.outputs]
        return list(zip(units[:-1], units[1:], strict=True))

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return sum(fan_in * fan_out + fan_out for fan_in, fan_out in self.layers)

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Draw theta, float64 (P,), with the initialisation named `init`."""
        draw = INITIALISATIONS[self.init]
        return np.concatenate([part.ravel() for layer in self.layers for part in draw(rng, *layer)])

    def split(self, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
        """View theta (S, P) as weights (S, fan_in, fan_out) and biases (S, 1, fan_out), layer by layer."""
        sizes = [part for fan_in, fan_out in self.layers for part in (fan_in * fan_out, fan_out)]
        parts = iter(theta.split(sizes, dim=1))  # one split, so that its gradient is one pass over theta
        return [(next(parts).unflatten(1, layer), next(parts).unsqueeze(1)) for layer in self.layers]

    def activation(self) -> nn.Module:
        """Return what follows each hidden layer."""
        return nn.ReLU()

    def forward(self, theta: Tensor, x: Tensor) -> Tensor:
        """Apply S networks, theta (S, P), each to its own inputs x (S, B, inputs); returns (S, B, outputs)."""
        activation = self.activation()
        *hidden, (weight, bias) = self.split(theta)
        for hidden_weight, hidden_bias in hidden:
            x = activation(torch.baddbmm(hidden_bias, x, hidden_weight))
        return torch.baddbmm(bias, x, weight)

    def module(self, theta: Tensor) -> nn.Sequential:
        """Return the network with the parameters theta (P,) as PyTorch writes it."""
        if type(self).forward is not MLP.forward:
            raise NotImplementedError(f"{type(self).__name__} has its own forward pass and needs its own `module`")
        parts: list[nn.Module] = []
        for weight, bias in self.split(theta.detach()[None]):
            parts += [linear(weight[0], bias[0, 0]), self.activation()]
        return nn.Sequential(*parts[:-1])


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """Return the layer x -> x weight + bias, weight (fan_in, fan_out) and bias (fan_out,), which are copied."""
    layer = nn.Linear(weight.shape[0], weight.shape[1], device=weight.device, dtype=weight.dtype)
    layer.load_state_dict({"weight": weight.T, "bias": bias})
    return layer
