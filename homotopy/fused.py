"""The fast solver on a CPU: one seed per core, and each seed alone for a whole epoch.

`FusedEnsemble` computes what `AutogradEnsemble` computes, up to rounding. Four things make it fast:

- A seed's parameters, moments, gradient and activations (1.4 MB for the network of Section 5.1) stay in the caches of
  its core from the first mini-batch of an epoch to the last; a step over all seeds would stream them through memory.
- The cores work on different seeds, with single-threaded kernels, and so never wait for each other. A seed's numbers
  then depend neither on the number of threads nor on its neighbours.
- Activations are (units, B), and theta holds each layer as weight (in, out), then bias (out,), which is one matrix
  (in + 1, out). With a constant unit below the others one product applies weight and bias, one is the gradient of
  both, and every product fills a contiguous preallocated buffer.
- An epoch's loop is compiled to TorchScript: not for better kernels, the operations are the same, but because
  Python's time between them, and the cores' waiting for its lock, would cost a tenth.
"""
# No `from __future__ import annotations`: TorchScript reads the annotations.

import math
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from homotopy.ensemble import EpochLoss
from homotopy.models import MLP
from homotopy.optimizers import SGD, Adam, Moments, restore, stored, zero_moments
from homotopy.problems import Regression

Function = TypeVar("Function", bound=Callable)


def compiled(function: Function) -> Function:
    """Compile to TorchScript; a PyTorch without it runs the function as it is, to the same numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return torch.jit.script(function)
        except (AttributeError, RuntimeError):
            return function


class Layer(NamedTuple):
    """Views of one layer of one seed: its matrix transposed (out, in + 1), weight (in, out), gradient (in + 1, out)."""

    matrix_t: Tensor
    weight: Tensor
    gradient: Tensor


class Hidden(NamedTuple):
    """Buffers of one hidden layer for one mini-batch: activations, and the loss's derivatives in them.

    `units` (width + 1, B) ends with the constant unit, `values` (width, B) is the view without it; `delta` (width, B).
    """

    units: Tensor
    values: Tensor
    delta: Tensor


class Solver(NamedTuple):
    """An update rule with its constants, bound to the tensors it works on: all like theta, `step` and `one` scalars.

    Tensors come in the lists that the kernels want: TorchScript takes a list built by the function itself for local,
    and drops a kernel that changes nothing else.
    """

    theta: list[Tensor]
    gradient: list[Tensor]
    averages: list[list[Tensor]]
    step: list[Tensor]
    one: Tensor
    lr: float
    adam: bool
    beta1: float
    beta2: float
    eps: float
    momentum: float


@compiled
def forward(layers: list[Layer], hidden: list[Hidden], x: Tensor, prediction: Tensor) -> None:
    """Write the network's values at x (in + 1, B), constant unit included, into prediction (out, B)."""
    for i, buffer in enumerate(hidden):
        torch.mm(layers[i].matrix_t, x, out=buffer.values)
        torch.relu_(buffer.values)
        x = buffer.units
    torch.mm(layers[-1].matrix_t, x, out=prediction)


@compiled
def backward(layers: list[Layer], hidden: list[Hidden], x: Tensor, delta: Tensor) -> None:
    """Write the loss's gradient into the layers, given its derivative delta (out, B) in the prediction."""
    for i in range(len(hidden), 0, -1):
        below = hidden[i - 1]
        torch.mm(below.units, delta.t(), out=layers[i].gradient)
        torch.mm(layers[i].weight, delta, out=below.delta)
        torch.ops.aten.threshold_backward(below.delta, below.values, 0, grad_input=below.delta)
        delta = below.delta
    torch.mm(x, delta.t(), out=layers[0].gradient)


@compiled
def take_step(solver: Solver) -> None:
    """Move theta by one step, with the kernels that PyTorch's own fused optimizers call."""
    solver.step[0].add_(solver.one)
    if solver.adam:
        torch._fused_adam_(
            solver.theta, solver.gradient, solver.averages[0], solver.averages[1], [], solver.step,
            lr=solver.lr, beta1=solver.beta1, beta2=solver.beta2, eps=solver.eps,
            weight_decay=0.0, amsgrad=False, maximize=False,
        )  # fmt: skip
    else:
        torch._fused_sgd_(
            solver.theta, solver.gradient, solver.averages[0],
            lr=solver.lr, momentum=solver.momentum,
            weight_decay=0.0, dampening=0.0, nesterov=False, maximize=False, is_first_step=False,
        )  # fmt: skip


@compiled
def train(
    solver: Solver, layers: list[Layer], hidden: list[Hidden], xs: list[Tensor], ys: list[Tensor], out: list[Tensor]
) -> None:
    """Take a step on each mini-batch xs[i] (in + 1, B), ys[i] (outputs, B); out[i] are the predictions before it."""
    # The derivative of the sum over outputs, mean over samples; PyTorch's mean is over both.
    outputs = solver.one.to(solver.theta[0].dtype) * ys[0].size(0)
    for i, x in enumerate(xs):
        forward(layers, hidden, x, out[i])
        backward(layers, hidden, x, torch.ops.aten.mse_loss_backward(outputs, out[i], ys[i], 1))
        take_step(solver)


@compiled
def predict(layers: list[Layer], hidden: list[Hidden], xs: list[Tensor], out: list[Tensor]) -> None:
    """Write the network's values at each xs[i] (in + 1, B) into out[i] (outputs, B)."""
    for i, x in enumerate(xs):
        forward(layers, hidden, x, out[i])


def split_layers(model: MLP, theta: Tensor, gradient: Tensor) -> list[Layer]:
    """View one seed's theta and gradient, both (P,), as layers."""
    layers, start = [], 0
    for fan_in, fan_out in model.layers:
        stop = start + (fan_in + 1) * fan_out
        matrix = theta[start:stop].view(fan_in + 1, fan_out)
        layers.append(Layer(matrix.t(), matrix[:fan_in], gradient[start:stop].view(fan_in + 1, fan_out)))
        start = stop
    return layers


def hidden_buffers(model: MLP, batch_size: int, dtype: torch.dtype) -> list[Hidden]:
    """Allocate the hidden layers' buffers for mini-batches of one size, with the constant units in place."""
    units = [torch.ones(model.width + 1, batch_size, dtype=dtype) for _ in range(model.depth)]
    return [Hidden(u, u[:-1], torch.empty(model.width, batch_size, dtype=dtype)) for u in units]


def with_constant_unit(x: Tensor) -> Tensor:
    """Transpose x (N, D) and append a row of ones: (D + 1, N)."""
    return torch.cat([x.t(), x.new_ones(1, len(x))])


def mini_batches(size: int, *data: Tensor) -> list[tuple[list[Tensor], ...]]:
    """Cut data (..., N) along N: lists of the whole mini-batches, then of the smaller last one if there is one."""
    whole = data[0].shape[-1] // size * size
    parts = [tuple(tensor[:, rows] for tensor in data) for rows in (slice(whole), slice(whole, None))]
    return [tuple(list(tensor.split(size, dim=1)) for tensor in part) for part in parts if part[0].numel()]


def bind(rule: Adam | SGD, lr: float, theta: Tensor, gradient: Tensor, moments: Moments) -> Solver:
    """Bind the rule to what it moves (theta and the moments) and what it reads (the gradient)."""
    adam = rule if isinstance(rule, Adam) else Adam()
    momentum = rule.momentum if isinstance(rule, SGD) else 0.0
    averages = [[average] for average in moments.averages.values()] or [[]]
    tensors = ([theta], [gradient], averages, [moments.step], torch.ones_like(moments.step))
    return Solver(*tensors, lr, isinstance(rule, Adam), adam.beta1, adam.beta2, adam.eps, momentum)


def mean_squared_error(prediction: Tensor, y: Tensor) -> Tensor:
    """Mean over the samples of each seed, (S, N, out) -> (S,), accumulated in float64."""
    losses = [(p - v).square_().sum(dtype=torch.float64) / len(v) for p, v in zip(prediction, y, strict=True)]
    return torch.stack(losses)


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
        self._for_each_seed(lambda s: self._train(s, x[s], y[s], prediction[s], lr))
        self._moments.step.add_(math.ceil(x.shape[1] / self._batch_size))
        target = None if y_target is None else mean_squared_error(prediction, y_target)
        return EpochLoss(mean_squared_error(prediction, y), target)

    def evaluate(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared error of each seed on its own x (S, N, D), y (S, N, 1); float64 (S,)."""
        prediction = torch.empty_like(y)
        self._for_each_seed(lambda s: self._predict(s, x[s], prediction[s]))
        return mean_squared_error(prediction, y)

    def reset_moments(self) -> None:
        """Forget the optimizer's moments, as at the start of a run."""
        self._moments = zero_moments(self._rule, self._theta)

    def state(self) -> dict[str, Tensor]:
        """Parameters and moments, each (S, P) but for Adam's step counter."""
        return stored(self._rule, self._theta, self._moments)

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned for an ensemble of the same shape."""
        self.reset_moments()  # the reference's state has no moments before its first step
        restore(state, self._theta, self._moments)

    @torch.inference_mode()
    def _train(self, s: int, x: Tensor, y: Tensor, prediction: Tensor, lr: float) -> None:
        """Run seed s's epoch on x (N, in), y (N, out); prediction (N, out) is what each sample's step started from."""
        averages = {name: average[s] for name, average in self._moments.averages.items()}
        moments = Moments(averages, self._moments.step.clone())  # all seeds start the epoch at the same count
        solver = bind(self._rule, lr, self._theta[s], torch.empty_like(self._theta[s]), moments)
        layers = split_layers(self._model, solver.theta[0], solver.gradient[0])
        for xs, ys, out in mini_batches(self._batch_size, with_constant_unit(x), y.t(), prediction.t()):
            train(solver, layers, hidden_buffers(self._model, xs[0].shape[1], x.dtype), xs, ys, out)

    @torch.inference_mode()
    def _predict(self, s: int, x: Tensor, prediction: Tensor) -> None:
        """Write seed s's values at x (N, in) into prediction (N, out)."""
        layers = split_layers(self._model, self._theta[s], self._theta[s])
        for xs, out in mini_batches(self._batch_size, with_constant_unit(x), prediction.t()):
            predict(layers, hidden_buffers(self._model, xs[0].shape[1], x.dtype), xs, out)

    def _for_each_seed(self, function: Callable[[int], object]) -> None:
        """Call function(0), ..., function(S - 1) in the worker threads."""
        for _ in self._workers.map(function, range(len(self._theta))):
            pass
