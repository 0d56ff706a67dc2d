"""Networks as PyTorch modules: any module can be trained, and every trained network is one."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from homotopy.errors import ResultError
from homotopy.results import parameters
from homotopy.solvers.mlp import MLP
from homotopy.solvers.module import ModuleNetwork
from homotopy.solvers.optimizers import SGD, Adam
from homotopy.solvers.reference import AutogradEnsemble
from homotopy.solvers.siren import Siren
from homotopy.solvers.vgg import VGG
from homotopy.tasks.regression import Regression

MODEL = MLP(inputs=2, width=7, depth=2, outputs=3)
SEEDS = range(3)


def layers() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 7), nn.ReLU(), nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 3))


def thetas(model) -> torch.Tensor:
    return torch.stack([torch.from_numpy(model.initial(np.random.default_rng(seed))) for seed in SEEDS])


def problem() -> Regression:
    x = torch.from_numpy(np.random.default_rng(5).uniform(size=(len(SEEDS), 50, 2)))
    y = torch.stack([x.sum(-1), x.prod(-1), (9 * x[..., 0]).sin()], dim=-1)
    return Regression(x, y, y, list(SEEDS))


@pytest.mark.parametrize("rule", [Adam(), SGD(lr=0.01)])
def test_a_module_of_ones_own_trains_as_the_mlp_of_the_same_layers(rule):
    theirs, x = thetas(MODEL), problem().x
    own = ModuleNetwork(layers)
    modules = [MODEL.module(theta) for theta in theirs]
    ours = torch.stack([nn.utils.parameters_to_vector(module.parameters()).detach() for module in modules])
    torch.testing.assert_close(own.forward(ours, x), MODEL.forward(theirs, x))
    ensembles = [AutogradEnsemble(m, rule, t, batch_size=16) for m, t in ((own, ours), (MODEL, theirs))]
    for epoch in (1, 2, 3):
        found, expected = (ensemble.epoch(problem(), epoch, 0.01) for ensemble in ensembles)
        torch.testing.assert_close(found.objective, expected.objective)
    final = [model.forward(e.theta, x) for model, e in zip((own, MODEL), ensembles, strict=True)]
    torch.testing.assert_close(*final)
    assert not torch.allclose(final[0], own.forward(ours, x))


def test_a_siren_s_module_computes_what_it_computes():
    model = Siren(inputs=2, width=7, depth=2, scale=20.0)
    found = torch.stack([model.module(theta)(x) for theta, x in zip(thetas(model), problem().x, strict=True)])
    torch.testing.assert_close(found, model.forward(thetas(model), problem().x))


def test_what_other_threads_were_told_does_not_change_in_how_many_a_solver_computes():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with ThreadPoolExecutor(1) as other:
            other.submit(torch.set_num_threads, 1).result()
        ensemble = AutogradEnsemble(MODEL, Adam(), thetas(MODEL), batch_size=16)
        assert ensemble._thread.submit(torch.get_num_threads).result() == torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_every_seed_draws_its_own_module_and_leaves_pytorch_s_generator_as_it_was():
    state, own = torch.get_rng_state(), ModuleNetwork(layers)
    first, again = thetas(own), thetas(own)
    assert torch.equal(first, again) and not torch.equal(first[0], first[1])
    assert torch.equal(torch.get_rng_state(), state)
    assert first.shape == (len(SEEDS), own.size)


def test_a_module_with_dropout_is_refused():
    own = ModuleNetwork(lambda: nn.Sequential(nn.Linear(2, 3), nn.Dropout()))
    with pytest.raises(RuntimeError, match="random"):
        own.forward(thetas(own), problem().x)


@pytest.mark.parametrize(
    "network",
    [
        MODEL,
        Siren(inputs=2, width=7, depth=2, scale=20.0),
        VGG((1, 8, 8), 4, ((2, 3), (4,)), (5,), batch_norm=True),
    ],
    ids=["mlp", "siren", "vgg"],
)
def test_kept_parameters_are_read_as_the_same_network(network, tmp_path):
    theta, path = thetas(network)[0], parameters.path_of(tmp_path, 0)
    parameters.write(path, network, theta)
    found, expected = parameters.read(path).state_dict(), network.module(theta).state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)
    written = path.read_bytes()
    parameters.write(path, network, theta)
    assert path.read_bytes() == written


def test_what_cannot_be_read_is_said(tmp_path):
    path = tmp_path / "network-0.safetensors"
    with pytest.raises(ResultError, match="save=true"):
        parameters.read(path)
    parameters.write(path, MODEL, thetas(MODEL)[0].float())
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ResultError, match="cannot be read"):
        parameters.read(path)
    settings = [asdict(MODEL) | {"width": MODEL.width + 1}, {"name": "of a later version"}, {"name": "mlp", "heads": 8}]
    for head in (None, *({"network": json.dumps(each)} for each in settings)):
        path.write_bytes(safetensors.torch.save({"weight": torch.zeros(1)}, head))
        with pytest.raises(ResultError, match="cannot be read"):
            parameters.read(path)


def test_an_mlp_with_another_forward_pass_has_no_module_with_relus():
    class Tanh(MLP):
        def forward(self, theta, x):
            return super().forward(theta, x).tanh()

    with pytest.raises(NotImplementedError):
        Tanh().module(torch.zeros(Tanh().size))
