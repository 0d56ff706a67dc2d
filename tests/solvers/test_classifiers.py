"""However seeds are grouped and shared out, each is trained as if alone by PyTorch's own loop."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from homotopy.solvers.classifiers import ImageEnsemble
from homotopy.solvers.optimizers import SGD, Adam
from homotopy.solvers.vgg import VGG, views
from homotopy.tasks.classification import Classification, ImageSamples
from tests.machine import needs_x86
from tests.solvers.test_vgg import reference
from tests.tasks.test_classification import SEEDS, SOURCE, TARGET

PROBLEM = Classification(TARGET, SOURCE, 0.4, SEEDS)
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]


def model(batch_norm=False):
    return VGG((1, 4, 5), 4, ((3,), (5,)), (), batch_norm)


def start(network, dtype=torch.float64):
    return torch.from_numpy(np.stack([network.initial(np.random.default_rng(seed)) for seed in SEEDS])).to(dtype)


def ensemble(batch_norm=False, rule=None, dtype=torch.float64, **options):
    network = model(batch_norm)
    return ImageEnsemble(network, rule or Adam(0.01), start(network, dtype), 15, **options)


def train(trained, epochs=(1, 2), problem=PROBLEM):
    return torch.stack([trained.epoch(problem, epoch, 0.01).objective for epoch in epochs])


@pytest.mark.parametrize("device", DEVICES)
def test_a_seed_follows_pytorchs_own_training_loop_on_a_cpu(device):
    trained = ImageEnsemble(model(), Adam(0.01), start(model()).to(device), 15)
    network = reference(model(), start(model())[1])
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    there = [ImageSamples(*(part.to(device) for part in task)) for task in (TARGET, SOURCE)]
    found = train(trained, (1, 2), Classification(*there, 0.4, SEEDS))
    for epoch, loss in zip((1, 2), found, strict=True):
        total = 0.0
        for batch in PROBLEM.batches(slice(1, 2), epoch, 15, torch.float64):
            optimizer.zero_grad()
            logits = network(batch.x[0])
            source, target = (functional.cross_entropy(logits, c[0]) for c in (batch.source, batch.target))
            mixed = 0.6 * source + 0.4 * target
            mixed.backward()
            optimizer.step()
            total += mixed.item() * len(logits)
        assert float(loss[1]) == pytest.approx(total / 40, rel=1e-9)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("rule", [Adam(0.01), SGD(0.01, 0.9), SGD(0.01, 0.0)])
def test_two_seeds_as_one_network_are_the_two(batch_norm, rule):
    apart, together = ensemble(batch_norm, rule), ensemble(batch_norm, rule, group=2)
    torch.testing.assert_close(train(apart), train(together))
    torch.testing.assert_close(apart.theta, together.theta)
    for one, other in zip(apart.evaluate(TARGET), together.evaluate(TARGET), strict=True):
        torch.testing.assert_close(one, other)


def test_neither_neighbours_nor_threads_change_a_bit_of_a_seed():
    together, threaded = ensemble(dtype=torch.float32, threads=1), ensemble(dtype=torch.float32, threads=2)
    own = [task._replace(members=task.members[1:]) for task in (TARGET, SOURCE)]
    alone = ImageEnsemble(model(), Adam(0.01), start(model(), torch.float32)[1:], 15)
    train(together), train(threaded), train(alone, problem=Classification(*own, 0.4, SEEDS[1:]))
    assert torch.equal(together.theta, threaded.theta) and torch.equal(together.theta[1:], alone.theta)


@needs_x86
def test_its_threads_flush_subnormal_numbers_which_changes_no_bit_of_theta():
    """The moments of units that are off decay into them; the caller's thread keeps them."""
    flushed, kept = ensemble(dtype=torch.float32), ensemble(dtype=torch.float32, threads=1)
    kept._workers.submit(torch.set_flush_denormal, False).result()
    train(flushed, (1,))
    state = flushed.state()
    weights, biases = views(state["theta"], model().trained_shapes())[:2]
    biases[:] = -1e3  # all units of the first layer are off
    state["exp_avg"][:, : weights[0].numel()] = torch.finfo(torch.float32).smallest_normal / 8
    for each in (flushed, kept):
        each.load(state)
    assert torch.equal(train(flushed, (2, 3)), train(kept, (2, 3))) and torch.equal(flushed.theta, kept.theta)
    subnormal = [_subnormals(each.state()["exp_avg"]) for each in (flushed, kept)]
    assert subnormal[0] == 0 < subnormal[1]
    assert torch.full((1,), 1e-30) * 1e-10 > 0


def _subnormals(values):
    return int(((values != 0) & (values.abs() < torch.finfo(torch.float32).smallest_normal)).sum())


@pytest.mark.parametrize("rule", [Adam(0.01), SGD(0.01, 0.9)])
@pytest.mark.parametrize("group", [1, 2])
def test_a_saved_state_continues_bit_for_bit(rule, group):
    whole, first, second = (ensemble(True, rule, group=group) for _ in range(3))
    second.load(first.state())  # before the first step
    train(whole, (1, 2, 3)), train(second, (1,))
    third = ensemble(True, rule, group=group)
    third.load(second.state())
    train(third, (2, 3))
    assert torch.equal(third.theta, whole.theta)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_state_kept_on_the_cpu_continues_on_a_gpu():
    there = [ImageSamples(*(part.cuda() for part in task)) for task in (TARGET, SOURCE)]
    trained = [ImageEnsemble(model(True), Adam(0.01), start(model(True)).cuda(), 15) for _ in range(2)]
    for each in trained:
        train(each, (1,), Classification(*there, 0.4, SEEDS))
    trained[1].load({name: value.cpu() for name, value in trained[0].state().items()})
    losses = [train(each, (2,), Classification(*there, 0.4, SEEDS)) for each in trained]
    torch.testing.assert_close(*losses)


def test_moments_count_until_they_are_reset():
    kept, reset = ensemble(), ensemble()
    train(kept, (1,)), train(reset, (1,))
    reset.reset_moments()
    fresh = ImageEnsemble(model(), Adam(0.01), reset.theta, 15)
    train(kept, (2,)), train(reset, (2,)), train(fresh, (2,))
    assert torch.equal(reset.theta, fresh.theta) and not torch.equal(reset.theta, kept.theta)


def test_evaluation_is_the_mean_over_the_members_and_changes_nothing():
    trained = ensemble(batch_norm=True)
    train(trained, (1,))
    before = trained.theta
    some = trained.evaluate(TARGET.first(20))
    parts = [TARGET._replace(members=TARGET.members[:, i : i + 1]) for i in range(20)]
    each = [trained.evaluate(part) for part in parts]
    torch.testing.assert_close(some.loss, torch.stack([score.loss for score in each]).mean(0))
    torch.testing.assert_close(some.accuracy, torch.stack([score.accuracy for score in each]).mean(0))
    assert torch.equal(trained.theta, before)


def test_bfloat16_computes_nearly_the_same_and_keeps_float32():
    full, half = ensemble(dtype=torch.float32), ensemble(dtype=torch.float32, bfloat16=True)
    losses = train(full), train(half)
    assert half.theta.dtype == torch.float32 and not torch.equal(*losses)
    torch.testing.assert_close(*losses, rtol=0.02, atol=0)


def test_a_seed_that_diverges_leaves_the_other_alone():
    theta = start(model())
    theta[0] = torch.nan
    broken, sound = ImageEnsemble(model(), Adam(0.01), theta, 15, group=2), ensemble(group=2)
    assert train(broken)[:, 0].isnan().all()
    train(sound)
    torch.testing.assert_close(broken.theta[1], sound.theta[1])
