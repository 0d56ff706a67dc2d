"""The network is the PyTorch network that its configuration describes, and several side by side do not meet."""

import numpy as np
import pytest
import torch
from torch import nn

from homotopy import compose
from homotopy.solvers.vgg import VGG, views

SMALL = VGG((2, 7, 6), 4, ((3, 5), (6,)), (8,))


def reference(model, theta):
    """Build the network from PyTorch's layers, with the parameters of one network, theta (P,)."""
    layers, parts = [], iter(view[0] for view in views(theta[None, : model.trained], model.trained_shapes()))
    channels = model.shape[0]
    for stage in model.stages:
        for width in stage:
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            layers[-1].weight.data, layers[-1].bias.data = next(parts).permute(0, 3, 1, 2), next(parts)
            channels = width
            if model.batch_norm:
                layers.append(nn.BatchNorm2d(width).double())
                layers[-1].weight.data, layers[-1].bias.data = next(parts), next(parts)
            layers.append(nn.ReLU())
        layers.append(nn.MaxPool2d(2, ceil_mode=True))
    layers.append(nn.Flatten())
    for i, (fan_in, fan_out) in enumerate(model.dense):
        layers += [nn.ReLU()] * (i > 0) + [nn.Linear(fan_in, fan_out)]
        layers[-1].weight.data, layers[-1].bias.data = next(parts).t(), next(parts)
    return nn.Sequential(*layers)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_networks_side_by_side_are_pytorchs_each_with_its_own_statistics(batch_norm):
    model = VGG(SMALL.shape, 4, SMALL.stages, SMALL.hidden, batch_norm)
    thetas = torch.stack([torch.from_numpy(model.initial(np.random.default_rng(i))) for i in range(3)])
    thetas[:, : model.trained] += 0.1 * torch.randn(3, model.trained, dtype=torch.float64)
    networks = [reference(model, theta) for theta in thetas]
    trained, running = (
        views(part, shapes)
        for part, shapes in zip(
            thetas.split([model.trained, model.size - model.trained], 1),
            (model.trained_shapes(), model.running_shapes()),
            strict=True,
        )
    )
    for training in (True, True, False):
        x = torch.randn(3, 5, *model.shape, dtype=torch.float64)
        expected = torch.stack([network.train(training)(own) for network, own in zip(networks, x, strict=True)])
        torch.testing.assert_close(model.forward(trained, running, x, training), expected)


def test_a_stage_halves_the_image_and_rounds_up():
    assert SMALL.dense == [(6 * 2 * 2, 8), (8, 4)]
    assert VGG((1, 28, 28), 10, ((64,), (128,), (256, 256), (512, 512), (512, 512))).dense == [(512, 10)]


def test_vgg11_has_its_number_of_parameters():
    model = VGG((3, 32, 32), 10, ((64,), (128,), (256, 256), (512, 512), (512, 512)))
    assert model.size == model.trained == 9_220_480 + 512 * 10 + 10


def test_vgg16_has_its_number_of_parameters():
    """For CIFAR-10's images, whose last stage leaves one pixel: the convolutions and three dense layers."""
    (raw,) = compose.jobs(["task=mnist_cifar", "model=vgg16"])
    model = VGG((3, 32, 32), 10, raw["model"]["stages"], raw["model"]["hidden"])
    assert model.size == 14_714_688 + (512 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 10


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        ("pytorch_default", 1 / (3 * 9 * 64)),
        ("glorot_kernel_zero_bias", 2 / (9 * (64 + 128))),
        ("glorot_zero_bias", 2 / (9 * 64 + 128)),
        ("he_zero_bias", 2 / (9 * 64)),
    ],
)
def test_an_initialisation_has_its_variance(init, variance):
    model = VGG((3, 16, 16), 10, ((64,), (128,)), init=init)
    theta = torch.from_numpy(model.initial(np.random.default_rng(0)))[None]
    weight = views(theta, model.trained_shapes())[2]
    assert float(weight.square().mean()) == pytest.approx(variance, rel=0.02)
    layer = nn.Conv2d(64, 128, 3)
    if init == "glorot_kernel_zero_bias":  # PyTorch's own
        nn.init.xavier_uniform_(layer.weight)
    if init in ("pytorch_default", "glorot_kernel_zero_bias"):
        assert float(layer.weight.detach().square().mean()) == pytest.approx(variance, rel=0.02)


def test_the_initialisation_is_he_s_and_batch_norm_starts_as_the_identity():
    model = VGG((3, 16, 16), 10, ((64,), (64,)), batch_norm=True)
    theta = torch.from_numpy(model.initial(np.random.default_rng(0)))[None]
    assert theta.shape == (1, model.size)
    parts = views(theta[:, : model.trained], model.trained_shapes())
    assert float(parts[4].square().mean()) == pytest.approx(2 / (9 * 64), rel=0.02)
    assert parts[5].abs().max() == 0 and parts[6].min() == parts[6].max() == 1 and parts[7].abs().max() == 0
    assert theta[0, model.trained :].tolist() == [*[0.0] * 64, *[1.0] * 64] * 2


@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_module_is_the_network(batch_norm):
    model = VGG(SMALL.shape, 4, SMALL.stages, SMALL.hidden, batch_norm)
    theta = torch.from_numpy(model.initial(np.random.default_rng(0)))
    theta += 0.1 * torch.rand(len(theta), dtype=theta.dtype)
    x = torch.randn(5, *model.shape, dtype=theta.dtype)
    trained, running = theta[None].split([model.trained, model.size - model.trained], 1)
    parts = views(trained, model.trained_shapes()), views(running, model.running_shapes())
    expected = model.forward(*parts, x[None], training=False)[0]
    torch.testing.assert_close(model.module(theta).eval()(x), expected)
