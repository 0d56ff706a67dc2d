"""What a look at a network tells is true of networks and functions that are known."""

from functools import partial

import numpy as np
import pytest
import torch

from homotopy.solvers.mlp import MLP
from homotopy.training import probes
from homotopy.training.probes import Data

GRID = torch.linspace(0, 1, probes.POINTS, dtype=torch.float64)
MODEL = MLP(width=6, depth=2)


def drawn(seeds=2, model=MODEL):
    return torch.from_numpy(np.stack([model.initial(np.random.default_rng(seed)) for seed in range(seeds)]))


def data(seeds=2):
    x = torch.rand(seeds, 40, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return Data(x, torch.sin(3 * x))


def test_periods_count_what_is_fitted_from_each_end():
    omega = 137.0
    wanted = torch.sin(omega * GRID)
    period = GRID * omega / (2 * np.pi)  # 21.8 of them
    some = torch.where((period < 3) | ((period >= 10) & (period < 11)) | (period >= 20), wanted, torch.zeros(()))
    found = probes.periods(torch.stack([some, wanted, 0 * wanted]), wanted, omega)
    assert found.fitted.tolist() == [3 + 1 + 2, 22, 0]
    assert found.front.tolist() == [3, 22, 0]
    assert found.back.tolist() == [2, 22, 0]


def test_a_period_is_fitted_below_a_fifth_of_its_variance():
    wanted = torch.sin(20 * np.pi * GRID)
    close = torch.stack([(1 - share**0.5) * wanted for share in (0.19, 0.21)])
    assert probes.periods(close, wanted, 20 * np.pi).fitted.tolist() == [10, 0]


def test_dead_units_are_those_that_no_input_activates():
    theta = drawn()
    (first, first_bias), (second, second_bias), _ = MODEL.split(theta)
    first[:], first_bias[:] = 1.0, 0.1
    first[0, :, :2], first_bias[0, :, :2] = -1.0, -0.1  # two of six, of the first network
    second[:], second_bias[:] = -1.0, 0.0
    dead = probes.dead_units(MODEL, theta, GRID.unsqueeze(1))
    np.testing.assert_allclose(dead, [[2 / 6, 1], [0, 1]])


def test_amplitudes_are_those_of_the_waves_that_are_there():
    values = 0.8 * torch.sin(GRID + 0.3) + 0.25 * torch.cos(137 * GRID)
    np.testing.assert_allclose(probes.amplitudes(values[None], [1.0, 137.0]), [[0.8, 0.25]], atol=1e-9)


def test_barrier_is_1_between_equal_networks_and_above_it_across_a_hill():
    theta, samples = drawn(), data()
    np.testing.assert_allclose(probes.barrier(MODEL, (theta, theta), samples), 1)
    line = MLP(depth=0)  # x w + b, whose loss on y = 0 is 1 at w = 1 and w = -1, b = 0, and 0 between
    ends = (torch.tensor([[1.0, 0.0]]), torch.tensor([[-1.0, 0.0]]))
    ones = torch.ones(1, 8, 1)
    assert probes.barrier(line, ends, Data(ones, 0 * ones)).item() == 1
    hill = MLP(width=1, depth=1)  # relu(x w + b) v + c
    ends = (torch.tensor([[1.0, 0.0, 1.0, 0.0]]), torch.tensor([[-1.0, 0.0, 1.0, 1.0]]))  # both are 1 at x = 1
    away = Data(ones, 1.1 * ones)  # losses 0.01 at the ends, and (1.1 - 0.5)^2 half-way
    assert probes.barrier(hill, ends, away).item() == pytest.approx(0.6**2 / 0.1**2, rel=1e-5)


def own_loss(own, point):
    return probes.losses(MODEL, point[None], own)[0]


def test_curvature_is_the_hessian_s_spectrum_at_both_ends():
    theta, samples = drawn(), data()
    for seed in range(2):
        own = Data(samples.x[seed : seed + 1], samples.y[seed : seed + 1])
        loss = partial(own_loss, own)
        hessian = torch.autograd.functional.hessian(loss, theta[seed])
        spectrum = torch.linalg.eigvalsh(hessian)
        smallest, largest = probes.curvature(MODEL, theta, samples, MODEL.size)
        assert smallest[seed] == pytest.approx(float(spectrum[0]), rel=1e-6)
        assert largest[seed] == pytest.approx(float(spectrum[-1]), rel=1e-6)
        few = probes.curvature(MODEL, theta, samples, 4)
        assert spectrum[0] <= few[0][seed] + 1e-12
        assert few[1][seed] <= spectrum[-1] + 1e-12
