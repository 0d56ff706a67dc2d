"""The same training in JAX, as its users write it: `jit` of a `vmap` over seeds of a `scan` over mini-batches."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch import Tensor

from homotopy.algorithm.corrector import EpochLoss
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import Optimizer
from homotopy.tasks.regression import Regression

jax.config.update("jax_enable_x64", True)  # float32 stays float32; float64 is for comparing results


def _loss(layers: list, x: jax.Array, y: jax.Array) -> jax.Array:
    *hidden, (weight, bias) = layers
    for hidden_weight, hidden_bias in hidden:
        x = jax.nn.relu(x @ hidden_weight + hidden_bias)
    return jnp.mean((x @ weight + bias - y) ** 2)


def _step(rule: Optimizer, carry: Any, batch: Any) -> Any:
    layers, mean, square, count = carry
    loss, gradient = jax.value_and_grad(_loss)(layers, *batch)
    count = count + 1
    mean = jax.tree.map(lambda m, g: rule.beta1 * m + (1 - rule.beta1) * g, mean, gradient)
    square = jax.tree.map(lambda v, g: rule.beta2 * v + (1 - rule.beta2) * g * g, square, gradient)
    step_size = rule.lr / (1 - rule.beta1**count)
    root = jnp.sqrt(1 - rule.beta2**count)
    layers = jax.tree.map(lambda p, m, v: p - step_size * m / (jnp.sqrt(v) / root + rule.eps), layers, mean, square)
    return (layers, mean, square, count), loss


@partial(jax.jit, static_argnums=(0, 4), donate_argnums=1)
def _epoch(rule: Optimizer, carry: Any, x: jax.Array, y: jax.Array, batch_size: int) -> Any:
    whole = x.shape[1] // batch_size * batch_size
    step = partial(_step, rule)

    def train(seed_carry: Any, x: jax.Array, y: jax.Array) -> Any:
        batches = (x[:whole].reshape(-1, batch_size, x.shape[-1]), y[:whole].reshape(-1, batch_size, 1))
        seed_carry, losses = jax.lax.scan(step, seed_carry, batches)
        total = losses.sum() * batch_size
        if whole < len(x):
            seed_carry, loss = step(seed_carry, (x[whole:], y[whole:]))
            total = total + loss * (len(x) - whole)
        return seed_carry, total / len(x)

    return jax.vmap(train)(carry, x, y)


class JaxEnsemble:
    """S networks trained by JAX; the interface of the other contestants."""

    def __init__(self, model: MLP, rule: Optimizer, theta: Tensor, batch_size: int) -> None:
        """Start from theta (S, P)."""
        self._model, self._rule, self._batch_size = model, rule, batch_size
        zeros = torch.zeros_like(theta)
        self.load({"theta": theta, "exp_avg": zeros, "exp_avg_sq": zeros, "step": torch.zeros(())})

    def load(self, state: dict[str, Tensor]) -> None:
        """Continue from Adam's state."""
        *parts, step = (state[name] for name in ("theta", "exp_avg", "exp_avg_sq", "step"))
        layers = [
            [(jnp.array(w.numpy()), jnp.array(b[:, 0].numpy())) for w, b in self._model.split(part)] for part in parts
        ]
        count = jnp.full(len(parts[0]), float(step), dtype=layers[0][0][0].dtype)
        self._carry = (*layers, count)

    def epoch(self, problem: Regression, epoch: int, lr: float) -> EpochLoss:
        """Train one epoch; the step size is the rule's own."""
        x, y, _ = problem.shuffled(epoch)
        self._carry, losses = _epoch(self._rule, self._carry, x.numpy(), y.numpy(), self._batch_size)
        return EpochLoss(torch.from_numpy(np.array(losses, dtype=np.float64)), None)
