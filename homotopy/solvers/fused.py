"""The fast solver on a CPU: one seed per core, and each seed alone for a whole epoch, in C++.

`FusedEnsemble` computes what `AutogradEnsemble` computes, up to rounding. What makes it fast:

- A seed's parameters, moments and activations (1.2 MB for the network of Section 5.1) stay in the caches of its core
  from the first mini-batch of an epoch to the last; a step over all seeds would stream them through memory.
- The cores work on different seeds and never wait for each other. A seed's numbers then depend neither on the number
  of threads nor on its neighbours.
- [fused.cpp](fused.cpp) multiplies matrices of this size faster than a library made for all sizes, and applies bias,
  ReLU and ReLU's derivative to results that are still in registers.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from homotopy.algorithm.corrector import EpochLoss
from homotopy.solvers import native
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import Optimizer, OwnMoments
from homotopy.tasks.regression import Regression

SOURCE = Path(__file__).with_suffix(".cpp")
REAL = {torch.float32: "float", torch.float64: "double"}


class _Rule(ctypes.Structure):
    """The update rule as fused.cpp has it."""

    _fields_ = (
        ("adam", ctypes.c_bool),
        *((name, ctypes.c_double) for name in ("lr", "beta1", "beta2", "eps", "momentum", "step")),
        *((name, ctypes.c_void_p) for name in ("first", "second")),
    )


def library(dtype: torch.dtype, *options: str) -> ctypes.CDLL:
    """Return fused.cpp compiled for a floating-point type; raise native.Unavailable where it cannot be."""
    built = native.load(SOURCE, f"-DREAL={REAL[dtype]}", *options)
    number, memory = ctypes.c_long, ctypes.c_void_p
    built.train.argtypes = [memory, number, *5 * [memory], *2 * [number], memory]
    built.evaluate.argtypes = [memory, number, *3 * [memory], *2 * [number], memory]
    for function in (built.train, built.evaluate):
        function.restype = ctypes.c_bool
    return built


class FusedEnsemble(OwnMoments):
    """The protocol of `homotopy.algorithm.corrector` on a CPU: the reference's states, its results up to rounding."""

    def __init__(
        self, model: MLP, optimizer: Optimizer, theta: Tensor, batch_size: int, threads: int | None = None
    ) -> None:
        """Start from theta (S, P), which is copied; as many worker threads as PyTorch uses, unless stated."""
        if theta.device.type != "cpu":
            raise ValueError(f"FusedEnsemble works on the CPU, but theta is on {theta.device}")
        if theta.shape[1] != model.size:
            raise ValueError(f"theta has {theta.shape[1]} parameters for each seed, the network {model.size}")
        super().__init__(optimizer, theta)
        self._library = library(theta.dtype)
        sizes = [model.inputs, *(fan_out for _, fan_out in model.layers)]
        self._sizes = (ctypes.c_long * len(sizes))(*sizes)
        self._shape = (self._sizes, len(sizes) - 1)
        self._batch_size = batch_size
        self._workers = ThreadPoolExecutor(threads or torch.get_num_threads())

    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch with step size lr, each seed on its own."""
        x, y, y_target = self._readable(*problem.shuffled(epoch))
        losses = torch.empty(len(x), 2, dtype=torch.float64)

        def train(s: int) -> bool:
            targets = None if y_target is None else y_target[s].data_ptr()
            data = (x[s].data_ptr(), y[s].data_ptr(), targets, x.shape[1], self._batch_size, losses[s].data_ptr())
            return self._library.train(*self._shape, self._theta[s].data_ptr(), ctypes.byref(self._bound(s, lr)), *data)

        self._for_each_seed(train)
        self._steps.add_(math.ceil(x.shape[1] / self._batch_size))
        objective, target = losses.T / x.shape[1]
        return EpochLoss(objective, None if y_target is None else target)

    def evaluate(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared error of each seed on its own x (S, N, D), y (S, N, outputs); float64 (S,)."""
        x, y, _ = self._readable(x, y)
        losses = torch.empty(len(x), dtype=torch.float64)

        def evaluate(s: int) -> bool:
            data = (x[s].data_ptr(), y[s].data_ptr(), x.shape[1], self._batch_size, losses[s].data_ptr())
            return self._library.evaluate(*self._shape, self._theta[s].data_ptr(), *data)

        self._for_each_seed(evaluate)
        return losses / x.shape[1]

    def _bound(self, s: int, lr: float) -> _Rule:
        """Return the rule with seed s's moments."""
        rule = self._rule
        moments = [average[s].data_ptr() for average in self._moments.values()]
        constants = (lr, rule.beta1, rule.beta2, rule.eps, rule.momentum, float(self._steps))
        return _Rule(rule.is_adam, *constants, *moments)

    def _readable(self, x: Tensor, y: Tensor, y_target: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return the data as fused.cpp reads them; raise ValueError if they do not suit the network."""
        inputs, outputs = self._sizes[0], self._sizes[-1]
        for values, size in ((x, inputs), (y, outputs), (y_target, outputs)):
            shape = (len(self._theta), x.shape[1], size)
            if values is not None and (values.shape != shape or values.dtype != self._theta.dtype):
                told = f"{tuple(values.shape)} {values.dtype}"
                raise ValueError(f"data must be {shape} {self._theta.dtype} for this ensemble, but are {told}")
        return x.contiguous(), y.contiguous(), None if y_target is None else y_target.contiguous()

    def _for_each_seed(self, function: Callable[[int], bool]) -> None:
        """Call function(0), ..., function(S - 1) in the worker threads; raise MemoryError if one says False."""
        if not all(self._workers.map(function, range(len(self._theta)))):
            raise MemoryError("no room for the activations of a mini-batch")
