"""The benchmark on images: all contestants train the same network, and its tables say what was measured."""

import threading

import numpy as np
import pytest
import torch
from benchmark import images
from benchmark.convolutions import Convolutions, recorded
from benchmark.image_loops import InMemory

from homotopy.report import documents
from tests.machine import needs_x86

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(images, "SAMPLES", 64)
    monkeypatch.setattr(images, "DONE", 1)


class NoProcesses:
    """In place of processes, which take seconds to start."""

    def __init__(self, build, most):
        self.close = lambda: None

    def __call__(self):
        pass


def start(name, target="FashionMNIST"):
    """Return the seeds' images, their network, and their state when training has begun."""
    deformation = images.task(target).load(range(images.SEEDS), CPU, torch.float32)
    model = images.network(name, deformation)
    return deformation, model, images.late(model, deformation)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", images.NETWORKS.values())
def test_a_loop_trains_on_as_the_ensemble_does(name, layout):
    deformation, model, moment = start(name)
    problem = deformation.at(images.LAM)
    loop = InMemory(problem, images.BATCH, model, moment, images.LR, layout=layout)
    before = model.module(moment.state["theta"][0]).parameters()
    for mine, theirs in zip(loop.network.parameters(), before, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)
    ensemble = images.ensemble(images.ImageEnsemble, model, moment.state, CPU)
    ensemble.epoch(problem, 1, images.LR)
    loop.epoch()
    for mine, theirs in zip(loop.network.parameters(), model.module(ensemble.theta[0]).parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)  # a step is of 1e-3


@pytest.mark.parametrize("name", images.NETWORKS.values())
def test_the_convolutions_alone_are_those_of_a_step_forward_and_backward(name):
    deformation, model, moment = start(name, "CIFAR10")
    problem, theta = deformation.at(images.LAM), moment.state["theta"]
    calls = recorded(model, theta[:1], next(problem.batches(slice(0, 1), 1, images.BATCH, torch.float32)))
    count, (height, width) = len(model.convolutions), model.shape[1:]
    backward = [call for call in calls if "backward" in str(call.func)]
    assert len(backward) == count and len(calls) == 2 * count
    assert [call.args[-1] for call in backward[::-1]] == [[i > 0, True, True] for i in range(count)]
    for call in calls:
        images_first = [value for value in call.args[:2] if value is not None and value.ndim == 4]
        assert all(value.is_contiguous(memory_format=torch.channels_last) for value in images_first)
    expected, channels = 0, iter(model.convolutions)
    for i, stage in enumerate(model.stages):
        for _ in stage:
            fan_in, fan_out = next(channels)
            products = 2 if expected == 0 else 3  # nobody asks for the derivative by the images
            expected += products * 2 * 9 * fan_in * fan_out * -(-height // 2**i) * -(-width // 2**i)
    alone = Convolutions(model, theta, problem, images.BATCH)
    assert alone.flops() == images.SEEDS * images.SAMPLES * expected


def test_the_convolutions_alone_repeat_a_step_for_every_batch_of_every_seed(monkeypatch):
    deformation, model, moment = start("vgg_small")
    alone = Convolutions(model, moment.state["theta"], deformation.at(images.LAM), images.BATCH)
    done = []
    monkeypatch.setattr(alone, "_steps", [[lambda s=s: done.append((s, torch.get_num_threads()))] for s in range(3)])
    alone.epoch()
    assert sorted(done) == [(s, 1) for s in range(3) for _ in range(images.SAMPLES // images.BATCH)]


@needs_x86
def test_only_the_one_that_keeps_subnormal_numbers_does():
    deformation, model, moment = start("vgg_small")

    def tiny_stays(way):
        built = images.ensemble(way, model, moment.state, CPU)
        built.epoch(deformation.at(images.LAM), 1, images.LR)
        both = threading.Barrier(torch.get_num_threads())  # so that every thread takes part
        found = [built._workers.submit(_is_kept, both) for _ in range(torch.get_num_threads())]
        return {each.result() for each in found}

    ways = images.on_cpu()
    assert tiny_stays(ways[images.KEPT]) == {True} == {_is_kept()}
    assert tiny_stays(ways[images.PER_CORE]) == {False}


def _is_kept(barrier=None):
    if barrier:
        barrier.wait(60)
    return bool((torch.tensor([1e-39]) * 1 > 0).item())


@pytest.fixture
def short_section(monkeypatch):
    monkeypatch.setattr(images, "LEAST", 1e-9)
    monkeypatch.setattr(images, "TARGETS", ("FashionMNIST",))
    monkeypatch.setattr(images, "Processes", NoProcesses)
    monkeypatch.setattr(images, "_can_compile", lambda: False)  # it takes half a minute


@pytest.mark.parametrize(("section", "name"), images.NETWORKS.items())
def test_every_way_has_a_row_and_the_chosen_one_is_the_unit(short_section, section, name):
    measured = images.images(section, rounds=1)
    assert measured.name == section and name in measured.title
    assert all(len(row) == len(measured.columns) for row in measured.rows)
    rows = {row[1]: row for row in measured.rows}
    units = {way: getattr(row[2], "median", row[2]) for way, row in rows.items()}
    assert units[images.PER_CORE] == 1 and len(units) == 14
    assert rows[images.COMPILED][2] == "left out: no C++ compiler"
    assert images.NETWORKS == documents._IMAGES and set(documents._TRIED) < set(rows)  # what docs/speed.md shows


def test_the_share_of_the_convolution_rate_is_of_a_seed_turn_by_turn(short_section, monkeypatch):
    def timed(contestants, *rest):
        seconds = dict.fromkeys(contestants, np.array([8.0, 16.0]))  # a seed of those that train one
        seconds |= {images.PER_CORE: np.array([12.0, 12.0]), images.ALONE: np.array([8.0, 6.0])}
        return seconds | {name: np.array([1e-3, 1e-3]) for name in contestants if name.startswith("product")}

    monkeypatch.setattr(images, "interleaved", timed)
    monkeypatch.setattr(Convolutions, "flops", lambda self: 1_200e9)
    measured = images.images("images", rounds=2)
    rows = {row[1]: row[2:] for row in measured.rows}
    assert rows[images.ALONE][0].median == pytest.approx((8 / 12 + 6 / 12) / 2) and rows[images.ALONE][1] == ""
    assert rows[images.PER_CORE][2] == rows[images.ALONE][0] and rows[images.ALONE][2].median == 1
    assert rows["DataLoader"][2].median == pytest.approx((2 / 8 + 1.5 / 16) / 2)
    assert "175 GFLOP/s" in measured.text  # of 150 and 200


@pytest.mark.parametrize("name", images.NETWORKS.values())
def test_every_way_to_share_seeds_out_trains_the_same_networks(name):
    deformation, model, moment = start(name)
    ways = images.on_cpu() | images.ON_GPU
    losses = {way: epoch() for way, epoch in images.ensembles(ways, model, moment, deformation).items()}
    for way, loss in losses.items():
        torch.testing.assert_close(loss, losses[images.PER_CORE], rtol=0.02 if "bfloat16" in way else 1e-5, atol=0)
    assert len(losses) == 9


def test_a_process_trains_its_share_of_the_seeds_from_where_all_are(tmp_path):
    deformation, model, moment = start("vgg_small")
    moment.write(tmp_path / "moment.pt")
    losses = images.ensembles(images.on_cpu(), model, moment, deformation)[images.PER_CORE]()
    parts = [images._part("FashionMNIST", model, tmp_path / "moment.pt", i, 2)().objective for i in range(2)]
    assert torch.equal(torch.stack(parts, dim=1).flatten(), losses)
