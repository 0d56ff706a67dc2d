"""The sine network is that of its paper, and trains through the reference solver."""

import numpy as np
import torch

from homotopy.solvers.build import build_ensemble
from homotopy.solvers.reference import AutogradEnsemble
from homotopy.solvers.siren import Siren

MODEL = Siren(inputs=2, width=50, depth=3)


def drawn(seeds=2):
    return torch.from_numpy(np.stack([MODEL.initial(np.random.default_rng(seed)) for seed in range(seeds)]))


def test_a_hidden_layer_is_the_sine_of_30_times_its_argument():
    theta, x = drawn(), torch.randn(2, 7, 2, dtype=torch.float64)
    for seed in range(2):
        values = x[seed]
        *hidden, (weight, bias) = [(w[seed], b[seed]) for w, b in MODEL.split(theta)]
        for hidden_weight, hidden_bias in hidden:
            values = torch.sin(30 * (values @ hidden_weight + hidden_bias))
        torch.testing.assert_close(MODEL.forward(theta, x)[seed], values @ weight + bias)


def test_activations_keep_their_distribution_from_layer_to_layer():
    # Theorem 1.8 there: arguments become standard normal, sines arcsine distributed, with variance 1/2
    model = Siren(width=400, depth=5)
    values = torch.linspace(-1, 1, 2000, dtype=torch.float64)[None, :, None]
    for weight, bias in model.split(torch.from_numpy(model.initial(np.random.default_rng(0)))[None])[:-1]:
        argument = 30 * (values @ weight + bias)
        values = torch.sin(argument)
        assert 0.4 < float(values.var()) < 0.6
    assert 0.8 < float(argument.std()) < 1.8


def test_a_configuration_trains_it_with_the_reference_solver(tiny):
    config = tiny("model=siren", "model.width=5", "model.depth=2", "task.features=fourier")
    model = config.model.network(config.task.load(config.seeds, torch.device("cpu"), torch.float32))
    theta = torch.zeros(1, model.size)
    assert model.inputs == 10
    assert isinstance(build_ensemble(model, config.optimizer, theta, config.batch_size), AutogradEnsemble)
