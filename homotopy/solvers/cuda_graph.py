"""The fast solver on a GPU: an epoch of all seeds is one CUDA graph, replayed without a word from the host.

`GraphEnsemble` computes what `AutogradEnsemble` computes on the same device, up to the order of sums; the CPU's solvers
differ by more, since PyTorch's Adam for CUDA holds beta2 in float32: the second moments are about 1e-5 off, relatively.
A step on the network of Section 5.1 is some seventy small kernels, whose launches would cost more than their work;
recorded once, an epoch's thousands of kernels follow one another by themselves: forward, backward, update and the sums
of the losses. Only the order of the samples comes from the host, once an epoch, drawn while the epoch before runs.
Elsewhere than on a GPU the same operations run one by one: so do the tests.

Not yet run on a GPU: the tests run the recording there as soon as they find one.
"""

from __future__ import annotations

import gc
from typing import NamedTuple

import torch
from torch import Tensor

from homotopy.algorithm.corrector import EpochLoss
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import Optimizer, restore, stored, update, zero_moments
from homotopy.solvers.reference import squared_error
from homotopy.tasks.regression import OrdersAhead, Regression


class EpochBuffers(NamedTuple):
    """The tensors that a recorded epoch reads and writes: data in order (S, N, .), losses float64 (S,)."""

    x: Tensor
    y: Tensor
    y_target: Tensor | None
    objective: Tensor
    target: Tensor | None


class GraphEnsemble:
    """The protocol of `homotopy.algorithm.corrector` for a GPU, with the reference's states.

    The step size is rounded to float32 in every precision: PyTorch's CUDA kernels read it from a tensor of no other
    type.
    Recording and replaying need theta's GPU to be the process's current one, as `homotopy.training.device.prepare`
    makes it.
    """

    def __init__(self, model: MLP, optimizer: Optimizer, theta: Tensor, batch_size: int) -> None:
        """Start from theta (S, P), which is copied."""
        self._model = model
        self._rule = optimizer
        self._theta = theta.detach().clone(memory_format=torch.contiguous_format)
        self._gradient = torch.zeros_like(self._theta)
        self._moments = zero_moments(optimizer, self._theta)
        self._lr = torch.zeros((), dtype=torch.float32, device=theta.device)
        self._batch_size = batch_size
        self._orders = OrdersAhead()
        self._epoch: EpochBuffers | None = None
        self._graph: torch.cuda.CUDAGraph | None = None

    @property
    def theta(self) -> Tensor:
        """A copy of the parameters, (S, P)."""
        return self._theta.clone()

    @torch.no_grad()
    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch with step size lr, all seeds in every kernel."""
        found = self._hold(*problem.shuffled(epoch, self._orders))
        self._lr.fill_(lr)
        if self._graph is not None:
            self._graph.replay()
        else:
            self._run(found)
        samples = found.x.shape[1]
        return EpochLoss(found.objective / samples, None if found.target is None else found.target / samples)

    @torch.no_grad()
    def evaluate(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared error of each seed on its own x (S, N, D), y (S, N, outputs); float64 (S,)."""
        return squared_error(self._model.forward(self._theta, x), y).double() / x.shape[1]

    def reset_moments(self) -> None:
        """Forget the optimizer's moments, in place: a recorded epoch works on these very tensors."""
        for tensor in (*self._moments.averages.values(), self._moments.step):
            tensor.zero_()

    def state(self) -> dict[str, Tensor]:
        """Parameters and moments, each (S, P) but for Adam's step counter."""
        return stored(self._rule, self._theta, self._moments)

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from what `state()` returned for an ensemble of the same shape."""
        self.reset_moments()  # the reference's state has no moments before its first step
        restore(state, self._theta, self._moments)

    def _hold(self, x: Tensor, y: Tensor, y_target: Tensor | None) -> EpochBuffers:
        """Copy the data to where a recorded epoch reads them; record anew if there is none of their shape."""
        held = self._epoch
        if held is None or held.x.shape != x.shape or (held.y_target is None) != (y_target is None):
            losses = torch.zeros(2, len(x), dtype=torch.float64, device=x.device)
            held = EpochBuffers(x, y, y_target, losses[0], None if y_target is None else losses[1])
            self._epoch, self._graph = held, self._record(held) if x.is_cuda else None
            return held
        held.x.copy_(x)
        held.y.copy_(y)
        if held.y_target is not None and y_target is not None:
            held.y_target.copy_(y_target)
        return held

    def _record(self, data: EpochBuffers) -> torch.cuda.CUDAGraph:
        """Record an epoch; it is run once before, as libraries set themselves up on first use, and undone."""
        before = self.state()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._run(data)
        torch.cuda.current_stream().wait_stream(stream)
        self.load(before)
        gc.collect()  # a graph that is garbage must not be freed while another is recorded
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._run(data)
        return graph

    def _run(self, data: EpochBuffers) -> None:
        """Take an epoch's steps; the losses are sums over its samples."""
        data.objective.zero_()
        if data.target is not None:
            data.target.zero_()
        for start in range(0, data.x.shape[1], self._batch_size):
            batch = slice(start, start + self._batch_size)
            y = data.y[:, batch]
            prediction = self._step(data.x[:, batch], y)
            data.objective.add_(squared_error(prediction, y))
            if data.target is not None and data.y_target is not None:
                data.target.add_(squared_error(prediction, data.y_target[:, batch]))

    def _step(self, x: Tensor, y: Tensor) -> Tensor:
        """Move every seed by one step on its mini-batch x (S, B, in), y (S, B, 1); return the predictions before."""
        layers = self._model.split(self._theta)
        inputs = [x]
        for weight, bias in layers[:-1]:
            inputs.append(torch.baddbmm(bias, inputs[-1], weight).relu_())
        prediction = torch.baddbmm(layers[-1][1], inputs[-1], layers[-1][0])
        delta = (prediction - y) * (2 / y.shape[1])
        gradients = self._model.split(self._gradient)
        for i in reversed(range(len(layers))):
            gradients[i][0].copy_(torch.bmm(inputs[i].mT, delta))
            gradients[i][1].copy_(delta.sum(dim=1, keepdim=True))
            if i:
                delta = torch.ops.aten.threshold_backward(torch.bmm(delta, layers[i][0].mT), inputs[i], 0)
        update(self._rule, self._lr, self._theta, self._gradient, self._moments)
        return prediction
