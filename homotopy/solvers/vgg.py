"""The classification network: VGG-type, stages of 3x3 convolutions that end with a pooling, then dense layers.

Section 5.2 says "a VGG-type network" and no more. As in `homotopy.solvers.mlp`, a network's parameters are one vector
theta; a forward pass takes G networks side by side, as one network with G groups of channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from homotopy.settings import BELOW, matches, not_set, one_of, rule
from homotopy.solvers import mlp
from homotopy.solvers.mlp import linear

INITIALISATIONS = {**mlp.INITIALISATIONS, "glorot_kernel_zero_bias": mlp.glorot_kernel_zero_bias}


def _are_units(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(matches(units, int) and 1 <= units < BELOW for units in value)


def _are_stages(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(stage and _are_units(stage) for stage in value)


@dataclass(frozen=True)
class VGG:
    """Convolutions with `stages[i][j]` channels, each stage halving the image (rounded up), and dense layers.

    theta, length `size` = P, holds what is trained, `trained` entries, then batch norm's running means and variances.
    A convolution's weight is (out, 3, 3, in), the layout that oneDNN and cuDNN prefer; a dense one (in, out).
    """

    shape: tuple[int, int, int] = not_set((1, 28, 28))
    classes: int = not_set(10)
    stages: Sequence[Sequence[int]] = rule(
        _are_stages, "a list of stages, each a list of channels, such as [[16],[32,32]]", default=((16,), (32,), (64,))
    )
    hidden: Sequence[int] = rule(_are_units, "a list of units per hidden dense layer, or []", default=())
    batch_norm: bool = rule(one_of(True, False), "true or false", default=False)
    init: str = rule(lambda v: v in INITIALISATIONS, ", ".join(INITIALISATIONS), default="he_zero_bias")
    name: str = "vgg"
    precisions: ClassVar[tuple[str, ...]] = ("float32", "tf32", "float64", "bfloat16")
    seeds_per_thread: ClassVar[int] = 4  # a group's results are written when all of it has finished, after minutes

    def network(self, deformation: Any) -> Self:
        """Return this network for the deformation's images and classes."""
        return replace(self, shape=deformation.shape, classes=deformation.classes)

    @property
    def convolutions(self) -> list[tuple[int, int]]:
        """(in, out) channels of every convolution."""
        channels = [self.shape[0], *(width for stage in self.stages for width in stage)]
        return list(zip(channels[:-1], channels[1:], strict=True))

    @property
    def dense(self) -> list[tuple[int, int]]:
        """(in, out) units of every dense layer."""
        height, width = (-(-extent // 2 ** len(self.stages)) for extent in self.shape[1:])
        units = [self.stages[-1][-1] * height * width, *self.hidden, self.classes]
        return list(zip(units[:-1], units[1:], strict=True))

    def trained_shapes(self) -> list[tuple[int, ...]]:
        """Shapes in theta's order: weight, bias and with batch norm scale and shift per convolution; dense layers."""
        shapes: list[tuple[int, ...]] = []
        for fan_in, fan_out in self.convolutions:
            shapes += [(fan_out, 3, 3, fan_in), (fan_out,), *[(fan_out,)] * (2 * self.batch_norm)]
        for fan_in, fan_out in self.dense:
            shapes += [(fan_in, fan_out), (fan_out,)]
        return shapes

    def running_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of batch norm's running mean and variance, convolution by convolution."""
        return [(out,) for _, out in self.convolutions for _ in range(2) if self.batch_norm]

    @property
    def trained(self) -> int:
        """How many entries of theta are trained."""
        return sum(math.prod(shape) for shape in self.trained_shapes())

    @property
    def size(self) -> int:
        """P, the length of theta."""
        return self.trained + sum(math.prod(shape) for shape in self.running_shapes())

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Draw theta, float64 (P,), with the initialisation named `init`; batch norm starts as the identity."""
        draw, parts = INITIALISATIONS[self.init], []
        for fan_in, fan_out in self.convolutions:
            weight, bias = draw(rng, fan_in, fan_out, kernel=9)
            parts += [weight.T, bias]
            if self.batch_norm:
                parts += [np.ones(fan_out), np.zeros(fan_out)]
        for layer in self.dense:
            parts += draw(rng, *layer)
        for i, shape in enumerate(self.running_shapes()):
            parts.append(np.full(shape, i % 2))
        return np.concatenate([part.ravel() for part in parts], dtype=np.float64)

    def forward(self, trained: Sequence[Tensor], running: Sequence[Tensor], x: Tensor, training: bool) -> Tensor:
        """Apply G networks to their own images x (G, B, C, H, W); returns logits (G, B, classes).

        `trained` and `running` are `views` of theta. In training, batch norm uses the batch's statistics and moves
        `running`.
        """
        networks, batch = x.shape[:2]
        parts, statistics = iter(trained), iter(running)
        x = x.transpose(0, 1).reshape(batch, -1, *self.shape[1:]).contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            for i in range(len(stage)):
                x = functional.conv2d(x, _kernel(next(parts)), next(parts).reshape(-1), padding=1, groups=networks)
                if self.batch_norm:
                    x = _batch_norm(x, parts, statistics, training)
                if i == len(stage) - 1:  # before the ReLU, which commutes with it: a quarter of the work
                    x = functional.max_pool2d(x, 2, ceil_mode=True)
                x = x.relu_()
        x = x.reshape(batch, networks, -1).transpose(0, 1)
        for i in range(len(self.dense)):
            weight, bias = next(parts), next(parts)
            x = torch.baddbmm(bias.unsqueeze(1), x.relu() if i else x, weight)
        return x

    def module(self, theta: Tensor) -> nn.Sequential:
        """Return the network with the parameters theta (P,) as PyTorch writes it: images (B, C, H, W) to logits."""
        trained, running = theta.detach()[None].split([self.trained, self.size - self.trained], dim=1)
        values = iter([view[0] for view in views(trained, self.trained_shapes())])
        statistics = iter([view[0] for view in views(running, self.running_shapes())])
        parts: list[nn.Module] = []
        for stage in self.stages:
            for _ in stage:
                parts.append(_convolution(next(values), next(values)))
                if self.batch_norm:
                    parts.append(_normalisation(next(values), next(values), next(statistics), next(statistics)))
                parts.append(nn.ReLU())
            parts.append(nn.MaxPool2d(2, ceil_mode=True))
        parts.append(nn.Flatten())
        for _ in self.dense:
            parts += [linear(next(values), next(values)), nn.ReLU()]
        return nn.Sequential(*parts[:-1])


def views(theta: Tensor, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    """View theta (G, ...) as consecutive tensors (G, *shape)."""
    sizes = [math.prod(shape) for shape in shapes]
    return [part.unflatten(1, shape) for part, shape in zip(theta.split(sizes, dim=1), shapes, strict=True)]


def _kernel(weight: Tensor) -> Tensor:
    """(G, out, 3, 3, in) to conv2d's (G out, in, 3, 3), channels last."""
    return weight.flatten(0, 1).permute(0, 3, 1, 2)


def _batch_norm(x: Tensor, parts: Iterator[Tensor], statistics: Iterator[Tensor], training: bool) -> Tensor:
    scale, shift = next(parts).reshape(-1), next(parts).reshape(-1)
    running = [next(statistics), next(statistics)]
    mean, variance = (value.reshape(-1).clone() for value in running)
    x = functional.batch_norm(x, mean, variance, scale, shift, training)
    if training:
        for value, moved in zip(running, (mean, variance), strict=True):
            value.copy_(moved.view_as(value))
    return x


def _convolution(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    """Return a layer with the weight (out, 3, 3, in) and the bias (out,)."""
    layer = nn.Conv2d(weight.shape[3], weight.shape[0], 3, padding=1, device=weight.device, dtype=weight.dtype)
    layer.load_state_dict({"weight": weight.permute(0, 3, 1, 2), "bias": bias})
    return layer


def _normalisation(scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(len(scale), device=scale.device, dtype=scale.dtype)
    state = {"weight": scale, "bias": shift, "running_mean": mean, "running_var": variance}
    layer.load_state_dict({**layer.state_dict(), **state})
    return layer
