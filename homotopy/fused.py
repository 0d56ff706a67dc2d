"""The fast solver on a CPU: one seed per core, and each seed alone for a whole epoch.

`FusedEnsemble` computes what `AutogradEnsemble` computes, up to rounding. Four things make it fast:

- A seed's parameters, moments, gradient and activations (1.4 MB for the network of Section 5.1) stay in the caches of
  its core from the first mini-batch of an epoch to the last; a step over all seeds would stream them through memory.
- The cores work on different seeds, with single-threaded kernels, and so never wait for each other. A seed's numbers
  then depend neither on the number of threads nor on its neighbours.
- theta holds each layer as its weight (in, out), then its bias (out,): together one matrix (in + 1, out). With a
  constant unit beside the activations one product applies both, and one product is the gradient of both.
- Products write into preallocated buffers, and one fused kernel updates all parameters of the seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from homotopy.ensemble import EpochLoss
from homotopy.models import MLP
from homotopy.optimizers import SGD, Adam
from homotopy.problems import Regression


class Layer(NamedTuple):
    """One layer of one seed: the matrix and the gradient are (in + 1, out), the transposed weight (out, in)."""

    matrix: Tensor
    weight_t: Tensor
    gradient: Tensor


class Hidden(NamedTuple):
    """Buffers of one hidden layer and one batch size B.

    `units` are the activations and the constant unit, (B, width + 1), `values` the view (B, width) without it;
    `unit_deltas` and `deltas` are the same of the loss's derivative in the activations.
    """

    units: Tensor
    values: Tensor
    unit_deltas: Tensor
    deltas: Tensor


def split_layers(model: MLP, theta: Tensor, gradient: Tensor) -> list[Layer]:
    """View one seed's theta and gradient, both (P,), as layers."""
    layers, start = [], 0
    for fan_in, fan_out in model.layers:
        stop = start + (fan_in + 1) * fan_out
        matrix = theta[start:stop].view(fan_in + 1, fan_out)
        layers.append(Layer(matrix, matrix[:fan_in].t(), gradient[start:stop].view(fan_in + 1, fan_out)))
        start = stop
    return layers


def hidden_buffers(model: MLP, batch_size: int, dtype: torch.dtype) -> list[Hidden]:
    """Allocate the buffers of all hidden layers; the constant units are 1, their derivatives 0."""
    buffers = []
    for _ in range(model.depth):
        units = torch.ones(batch_size, model.width + 1, dtype=dtype)
        deltas = torch.zeros_like(units)
        buffers.append(Hidden(units, units[:, :-1], deltas, deltas[:, :-1]))
    return buffers


def forward(layers: list[Layer], hidden: list[Hidden], x: Tensor, prediction: Tensor) -> None:
    """Write the network's values at x (B, in + 1), constant unit included, into prediction (B, out)."""
    for layer, buffer in zip(layers[:-1], hidden, strict=True):
        torch.mm(x, layer.matrix, out=buffer.values)
        x = buffer.units.relu_()  # all columns, since contiguous memory is faster; 1 stays 1
    torch.mm(x, layers[-1].matrix, out=prediction)


def backward(layers: list[Layer], hidden: list[Hidden], x: Tensor, delta: Tensor) -> None:
    """Write the loss's gradient into the layers, given its derivative delta (B, out) in the prediction."""
    for below, layer in zip(reversed(hidden), reversed(layers), strict=False):
        torch.mm(below.units.t(), delta, out=layer.gradient)
        torch.mm(delta, layer.weight_t, out=below.deltas)
        torch.ops.aten.threshold_backward(below.unit_deltas, below.units, 0, grad_input=below.unit_deltas)
        delta = below.deltas
    torch.mm(x.t(), delta, out=layers[0].gradient)


class Moments(NamedTuple):
    """What the update rule remembers, by PyTorch's names: tensors (S, P), or (P,) for one seed; and the steps taken."""

    averages: dict[str, Tensor]
    step: Tensor


def zero_moments(rule: Adam | SGD, theta: Tensor) -> Moments:
    """Return the moments before the first step."""
    names = ["exp_avg", "exp_avg_sq"] if isinstance(rule, Adam) else ["momentum_buffer"] if rule.momentum else []
    return Moments({name: torch.zeros_like(theta) for name in names}, torch.zeros(()))


def update(rule: Adam | SGD, lr: float, theta: Tensor, gradient: Tensor, moments: Moments) -> None:
    """Take one step in place with the kernels that PyTorch's fused optimizers call, all tensors (P,)."""
    moments.step.add_(1)
    averages = moments.averages
    if isinstance(rule, Adam):
        torch._fused_adam_(
            [theta], [gradient], [averages["exp_avg"]], [averages["exp_avg_sq"]], [], [moments.step],
            lr=lr, beta1=rule.beta1, beta2=rule.beta2, eps=rule.eps,
            weight_decay=0.0, amsgrad=False, maximize=False,
        )  # fmt: skip
    else:
        torch._fused_sgd_(
            [theta], [gradient], list(averages.values()),
            lr=lr, momentum=rule.momentum,
            weight_decay=0.0, dampening=0.0, nesterov=False, maximize=False, is_first_step=False,
        )  # fmt: skip


def with_constant_unit(x: Tensor) -> Tensor:
    """Append a column of ones, (N, D) -> (N, D + 1)."""
    return torch.cat([x, torch.ones_like(x[:, :1])], dim=1)


def mean_squared_error(prediction: Tensor, y: Tensor) -> Tensor:
    """Mean over the samples (N, out), accumulated in float64."""
    return (prediction - y).square_().sum(dtype=torch.float64) / len(y)


def _single_threaded() -> None:
    """Make PyTorch's kernels use one thread when called from this thread; others keep their number."""
    torch.set_num_threads(1)


class FusedEnsemble:
    """The protocol of `homotopy.ensemble` on a CPU; the reference's states, and its results up to rounding."""

    def __init__(
        self, model: MLP, optimizer: Adam | SGD, theta: Tensor, batch_size: int, threads: int | None = None
    ) -> None:
        """Start from theta (S, P), which is copied; as many worker threads as PyTorch uses, unless stated."""
        if theta.device.type != "cpu":
            raise ValueError(f"FusedEnsemble works on the CPU, but theta is on {theta.device}")
        self._model = model
        self._rule = optimizer
        self._theta = theta.detach().clone(memory_format=torch.contiguous_format)
        self._batch_size = batch_size
        self._workers = ThreadPoolExecutor(threads or torch.get_num_threads(), initializer=_single_threaded)
        self.reset_moments()

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters, (S, P)."""
        return self._theta.clone()

    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch with step size lr, each seed on its own."""
        x, y, y_target = problem.shuffled(epoch)
        prediction = torch.empty_like(y)

        def train(s: int) -> None:
            averages = {name: average[s] for name, average in self._moments.averages.items()}
            moments = Moments(averages, self._moments.step.clone())
            self._train(self._theta[s], moments, x[s], y[s], prediction[s], lr)

        self._for_each_seed(train)
        self._moments.step.add_(math.ceil(x.shape[1] / self._batch_size))
        objective = self._losses(prediction, y)
        return EpochLoss(objective, None if y_target is None else self._losses(prediction, y_target))

    def evaluate(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared error of each seed on its own x (S, N, D), y (S, N, 1); float64 (S,)."""
        prediction = torch.empty_like(y)
        self._for_each_seed(lambda s: self._predict(self._theta[s], x[s], prediction[s]))
        return self._losses(prediction, y)

    def reset_moments(self) -> None:
        """Forget the optimizer's moments, as at the start of a run."""
        self._moments = zero_moments(self._rule, self._theta)

    def state(self) -> dict[str, Tensor]:
        """Parameters and moments, each (S, P) but for Adam's step counter."""
        state = {"theta": self._theta, **self._moments.averages}
        if isinstance(self._rule, Adam):
            state["step"] = self._moments.step
        return {name: value.clone() for name, value in state.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned for an ensemble of the same shape."""
        self._theta.copy_(state["theta"])
        self.reset_moments()  # the reference's state has no moments before its first step
        for name, value in {**self._moments.averages, "step": self._moments.step}.items():
            if name in state:
                value.copy_(state[name])

    @torch.inference_mode()
    def _train(self, theta: Tensor, moments: Moments, x: Tensor, y: Tensor, prediction: Tensor, lr: float) -> None:
        """Run one seed's epoch: its theta (P,) and moments move, prediction (N, out) is what each step started from."""
        gradient = torch.empty_like(theta)
        layers = split_layers(self._model, theta, gradient)
        for hidden, (x_batch, y_batch, p_batch) in self._batches(with_constant_unit(x), y, prediction):
            forward(layers, hidden, x_batch, p_batch)
            delta = torch.sub(p_batch, y_batch).mul_(2 / len(y_batch))
            backward(layers, hidden, x_batch, delta)
            update(self._rule, lr, theta, gradient, moments)

    @torch.inference_mode()
    def _predict(self, theta: Tensor, x: Tensor, prediction: Tensor) -> None:
        """Write one seed's values at x (N, in) into prediction (N, out)."""
        layers = split_layers(self._model, theta, theta)
        for hidden, (x_batch, p_batch) in self._batches(with_constant_unit(x), prediction):
            forward(layers, hidden, x_batch, p_batch)

    def _batches(self, *tensors: Tensor) -> Iterator[tuple[list[Hidden], tuple[Tensor, ...]]]:
        """Yield mini-batches of the tensors (N, ...) after the buffers for them; the last may be smaller."""
        hidden: list[Hidden] = []
        for batch in zip(*(tensor.split(self._batch_size) for tensor in tensors), strict=True):
            if not hidden or len(hidden[0].units) != len(batch[0]):
                hidden = hidden_buffers(self._model, len(batch[0]), batch[0].dtype)
            yield hidden, batch

    def _for_each_seed(self, function: Callable[[int], object]) -> None:
        """Call function(0), ..., function(S - 1) in the worker threads."""
        for _ in self._workers.map(function, range(len(self._theta))):
            pass

    @staticmethod
    def _losses(prediction: Tensor, y: Tensor) -> Tensor:
        return torch.stack([mean_squared_error(p, v) for p, v in zip(prediction, y, strict=True)])
