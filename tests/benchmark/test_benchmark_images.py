"""The benchmark on images: its plain loop trains the same network, and its table is whole."""

import numpy as np
import pytest
import torch
from benchmark import images

from homotopy.solvers.vgg import VGG, views


class NoProcesses:
    """In place of processes, which take seconds to start."""

    def __init__(self, build):
        self.close = lambda: None

    def __call__(self):
        pass


def test_the_plain_loops_network_is_the_ensembles():
    model = VGG((3, 12, 12), 10, images.STAGES)
    theta = torch.from_numpy(model.initial(np.random.default_rng(0))).float()
    x = torch.randn(4, *model.shape)
    expected = model.forward(views(theta[None], model.trained_shapes()), [], x[None], training=True)[0]
    torch.testing.assert_close(images.network(model, theta)(x), expected)


def test_every_way_has_a_row_and_the_chosen_one_is_the_unit(monkeypatch):
    monkeypatch.setattr(images, "SAMPLES", 64)
    monkeypatch.setattr(images, "LEAST", 1e-9)
    monkeypatch.setattr(images, "TARGETS", ("FashionMNIST",))
    monkeypatch.setattr(images, "Processes", NoProcesses)
    monkeypatch.setattr(images, "_can_compile", lambda: False)  # it takes half a minute
    section = images.images(rounds=1)
    assert all(len(row) == len(section.columns) for row in section.rows)
    rows = {row[1]: row for row in section.rows}
    units = {name: getattr(row[2], "median", row[2]) for name, row in rows.items()}
    assert units[images.PER_CORE] == 1 and len(units) == 12
    assert rows[images.COMPILED][2] == "left out: no C++ compiler"


def test_every_way_to_share_seeds_out_trains_the_same_networks(monkeypatch):
    monkeypatch.setattr(images, "SAMPLES", 64)
    deformation = images.task("FashionMNIST").load(range(images.SEEDS), torch.device("cpu"), torch.float32)
    losses = {name: epoch() for name, epoch in images.ensembles(deformation, images.on_cpu() | images.ON_GPU).items()}
    for name, loss in losses.items():
        torch.testing.assert_close(loss, losses[images.PER_CORE], rtol=0.02 if "bfloat16" in name else 1e-5, atol=0)
    assert len(losses) == 8


@pytest.mark.parametrize("target", images.TARGETS)
def test_the_section_measures_the_small_network_of_the_study(target):
    from homotopy import compose

    task = {"FashionMNIST": "mnist_fashion", "CIFAR10": "mnist_cifar"}[target]
    (raw,) = compose.jobs([f"task={task}", "model=vgg_small"])
    assert raw["task"]["target"] == target
    assert tuple(map(tuple, raw["model"]["stages"])) == images.STAGES
