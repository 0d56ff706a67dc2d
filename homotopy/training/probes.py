"""What a look at networks of one input tells: what they fit and where, dead units, frequencies, lines and curvature.

Every function takes S networks of one kind, theta (S, P), and changes nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from homotopy.solvers.mlp import MLP
from homotopy.solvers.reference import squared_error

POINTS = 2001  # of [0, 1]: 50 in a period at omega 250
FITTED = 0.2  # the error in a period that is fitted, over the variance there


class Data(NamedTuple):
    """A problem's data for every seed: x (S, N, inputs) and y (S, N, 1)."""

    x: Tensor
    y: Tensor


class Periods(NamedTuple):
    """Each network's fitted periods, int (S,): all, those in a row from x = 0, and those in a row from x = 1."""

    fitted: np.ndarray
    front: np.ndarray
    back: np.ndarray


def periods(values: Tensor, wanted: Tensor, omega: float) -> Periods:
    """Count the periods of omega in which values (S, X) fit what is wanted (X,), both on an even grid of [0, 1].

    The last period is cut at 1. A period is fitted where the mean squared error is below a fifth of the variance.
    """
    x = np.linspace(0, 1, values.shape[1])
    place = np.minimum(x * omega / (2 * np.pi), np.ceil(omega / (2 * np.pi)) - 1).astype(int)
    error, fits = ((values - wanted) ** 2).numpy(), []
    for period in np.unique(place):
        inside = place == period
        fits.append(error[:, inside].mean(axis=1) < FITTED * wanted.numpy()[inside].var())
    found = np.stack(fits, axis=1).astype(int)
    return Periods(found.sum(1), found.cumprod(1).sum(1), found[:, ::-1].cumprod(1).sum(1))


def dead_units(model: MLP, theta: Tensor, x: Tensor) -> np.ndarray:
    """Return the share of each hidden layer's units that are 0 at every x (X, inputs), (S, layers)."""
    shares, units = [], x.expand(len(theta), *x.shape)
    for weight, bias in model.split(theta)[:-1]:
        units = torch.baddbmm(bias, units, weight).relu()
        shares.append((units.amax(dim=1) == 0).double().mean(dim=1))
    return torch.stack(shares, dim=1).numpy()


def amplitudes(values: Tensor, omegas: list[float]) -> np.ndarray:
    """Return the amplitude of each of some different omegas in values (S, X) on an even grid of [0, 1], (S, omegas).

    Least squares on the sines and cosines of all of them together.
    """
    x = np.linspace(0, 1, values.shape[1])
    waves = np.stack([wave(omega * x) for omega in omegas for wave in (np.sin, np.cos)], axis=1)
    found = np.linalg.lstsq(waves, values.numpy().T, rcond=None)[0]
    return np.hypot(found[::2], found[1::2]).T


def losses(model: MLP, theta: Tensor, data: Data) -> Tensor:
    """Return each network's mean squared error, (S,)."""
    return squared_error(model.forward(theta, data.x), data.y) / data.x.shape[1]


def barrier(model: MLP, ends: tuple[Tensor, Tensor], data: Data) -> np.ndarray:
    """Return the largest loss on the straight line between two theta over the larger loss at its ends, (S,).

    Of the line eleven points are looked at, both ends included.
    """
    along = torch.stack([losses(model, torch.lerp(*ends, share), data) for share in np.linspace(0, 1, 11).tolist()])
    return (along.amax(0) / along[[0, -1]].amax(0)).numpy()


def curvature(model: MLP, theta: Tensor, data: Data, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates of the smallest and of the largest eigenvalue of each network's Hessian, (S,) each.

    Lanczos' method with full reorthogonalisation, from the same random vector for all networks; the estimates lie
    inside the spectrum and approach its ends as iterations grow. Give theta and data in double precision.
    """
    point = theta.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(losses(model, point, data).sum(), point, create_graph=True)

    def times_hessian(vectors: Tensor) -> Tensor:
        return torch.autograd.grad(slope, point, vectors, retain_graph=True)[0]

    start = torch.randn(theta.shape[1], generator=torch.Generator().manual_seed(0), dtype=theta.dtype)
    basis = [(start / start.norm()).expand_as(theta)]
    diagonal, beside = [], []
    for _ in range(min(iterations, theta.shape[1])):
        image = times_hessian(basis[-1])
        diagonal.append((image * basis[-1]).sum(1))
        for _ in range(2):  # twice is enough to be orthogonal to rounding
            for vector in basis:
                image = image - (image * vector).sum(1, keepdim=True) * vector
        beside.append(image.norm(dim=1))
        basis.append(image / beside[-1].clamp_min(torch.finfo(theta.dtype).tiny)[:, None])
    lower = torch.diag_embed(torch.stack(beside[:-1], 1), -1) if len(beside) > 1 else 0
    found = torch.linalg.eigvalsh(torch.diag_embed(torch.stack(diagonal, 1)) + lower)  # reads the lower triangle
    return found[:, 0].numpy(), found[:, -1].numpy()
