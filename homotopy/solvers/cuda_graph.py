"""The fast solver on a GPU: an epoch of all seeds is one CUDA graph, which the GPU replays without the host.

`GraphEnsemble` computes what `AutogradEnsemble` computes on the same device, up to the order of sums. The CPU's solvers
differ by more, since PyTorch's Adam for CUDA holds beta2 in float32: the second moments are about 1e-5 off, relatively.

A step on the network of Section 5.1 is some seventy small kernels, and to launch them would take longer than their
work. In a recorded epoch thousands of kernels follow one another by themselves: forward, backward, update and the sums
of the losses. Only the order of the samples comes from the host, once an epoch. It is drawn while the epoch before
runs. On a CPU the same operations run one by one, without a graph, so that they can be tested there.

Not yet run on a GPU: the tests record and replay an epoch as soon as they find one.
"""

from __future__ import annotations

import gc
from typing import NamedTuple

import torch
from torch import Tensor

from homotopy.algorithm.corrector import EpochLoss
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import Optimizer, OwnMoments
from homotopy.solvers.reference import squared_error
from homotopy.tasks.regression import OrdersAhead, Regression


class EpochBuffers(NamedTuple):
    """The tensors that a recorded epoch reads and writes: data in order (S, N, .), losses float64 (S,)."""

    x: Tensor
    y: Tensor
    y_target: Tensor | None
    objective: Tensor
    target: Tensor | None


class GraphEnsemble(OwnMoments):
    """The protocol of `homotopy.algorithm.corrector` for a GPU, with the reference's states.

    The step size is rounded to float32 in every precision, since PyTorch's CUDA kernels read it only from a tensor of
    that type.
    """

    def __init__(self, model: MLP, optimizer: Optimizer, theta: Tensor, batch_size: int) -> None:
        """Start from theta (S, P), which is copied."""
        super().__init__(optimizer, theta)
        self._model = model
        self._gradient = torch.zeros_like(self._theta)
        self._lr = torch.zeros((), dtype=torch.float32, device=theta.device)  # read anew at each replay of a graph
        self._batch_size = batch_size
        self._orders = OrdersAhead()
        self._epoch: EpochBuffers | None = None
        self._graph: torch.cuda.CUDAGraph | None = None

    @torch.no_grad()
    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch with step size lr, all seeds in every kernel."""
        with torch.cuda.device_of(self._theta):  # graphs are recorded and replayed on the current GPU
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

    def _hold(self, x: Tensor, y: Tensor, y_target: Tensor | None) -> EpochBuffers:
        """Copy the data to where the recorded epoch reads them; record one if there is none for data of this shape."""
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
        """Record an epoch. Before, one is run and undone, so that libraries have set themselves up."""
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
        """Move every seed by one step on its mini-batch; return the predictions before.

        x is (S, B, inputs), y and the predictions are (S, B, outputs).
        """
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
        self._update()
        return prediction

    def _update(self) -> None:
        """Take one step with the kernels that PyTorch's fused optimizers call."""
        rule, moments = self._rule, self._moments
        self._steps.add_(1)
        if rule.is_adam:
            torch._fused_adam_(
                [self._theta], [self._gradient], [moments["exp_avg"]], [moments["exp_avg_sq"]], [], [self._steps],
                lr=self._lr, beta1=rule.beta1, beta2=rule.beta2, eps=rule.eps,
                weight_decay=0.0, amsgrad=False, maximize=False,
            )  # fmt: skip
        else:
            torch._fused_sgd_(
                [self._theta], [self._gradient], list(moments.values()), lr=self._lr, momentum=rule.momentum,
                weight_decay=0.0, dampening=0.0, nesterov=False, maximize=False, is_first_step=False,
            )  # fmt: skip
