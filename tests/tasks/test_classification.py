"""Eq. 17-18: images and labels are mixed together, and target images meet source images as configured."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from homotopy.streams import Purpose
from homotopy.tasks.classification import (
    PAIRINGS,
    Batch,
    Classification,
    ImageSamples,
    mix_labels,
    normalised,
    partners,
)

SEEDS = [0, 7]


def samples(count, own, classes, seed):
    """Return random images, of which each of two seeds has its own."""
    rng = torch.Generator().manual_seed(seed)
    pixels = torch.randint(256, (count, 1, 4, 5), generator=rng, dtype=torch.uint8)
    members = torch.stack([torch.randperm(count, generator=rng)[:own] for _ in SEEDS])
    return ImageSamples(pixels, torch.randint(classes, (count,), generator=rng), members)


SOURCE, TARGET = samples(30, 20, 3, 1), samples(50, 40, 4, 2)


def whole(problem, epoch=1, size=15):
    """Return an epoch's batches of both seeds as one."""
    batches = list(problem.batches(slice(0, 2), epoch, size, torch.float64))
    assert [batch.x.shape[1] for batch in batches] == [15, 15, 10]
    parts = [torch.cat([batch[i] for batch in batches], dim=1) if batches[0][i] is not None else None for i in range(3)]
    return Batch(*parts, batches[0].lam)


def test_the_label_vector_of_the_papers_example():
    assert mix_labels(torch.tensor(2), torch.tensor(5), 0.5, 10).tolist() == [0, 0, 0.5, 0, 0, 0.5, 0, 0, 0, 0]


@pytest.mark.parametrize("lam", [0.0, 0.3, 1.0])
def test_the_loss_is_cross_entropy_with_the_mixed_labels(lam):
    logits = torch.randn(2, 6, 4, dtype=torch.float64)
    source, target = torch.randint(4, (2, 2, 6))
    expected = functional.cross_entropy(
        logits.flatten(0, 1), mix_labels(source, target, lam, 4).double().flatten(0, 1), reduction="none"
    )
    found = Batch(torch.empty(0), target, source, lam).loss(logits).flatten()
    torch.testing.assert_close(found, expected)


def images_of(task, labels, x):
    """Return the index of each image of a seed among the task's, by its pixels."""
    all_of_them = normalised(task.pixels, torch.float64).flatten(1)
    index = (x.flatten(1).unsqueeze(1) - all_of_them).abs().amax(-1).argmin(1)
    assert torch.equal(task.labels[index], labels)
    torch.testing.assert_close(all_of_them[index], x.flatten(1))
    return index


@pytest.mark.parametrize("s", [0, 1])
def test_an_epoch_at_lam_1_is_the_targets_images_each_once(s):
    batch = whole(Classification(TARGET, SOURCE, 1.0, SEEDS))
    index = images_of(TARGET, batch.target[s], batch.x[s])
    assert sorted(index.tolist()) == sorted(TARGET.members[s].tolist())
    assert torch.equal(batch.x, whole(Classification(TARGET, None, 1.0, SEEDS)).x)


@pytest.mark.parametrize("s", [0, 1])
def test_an_epoch_at_lam_0_is_the_seeds_source_images(s):
    batch = whole(Classification(TARGET, SOURCE, 0.0, SEEDS))
    index = images_of(SOURCE, batch.source[s], batch.x[s])
    assert set(index.tolist()) <= set(SOURCE.members[s].tolist())


def test_half_way_every_image_is_the_mean_of_its_source_and_target():
    ends = [whole(Classification(TARGET, SOURCE, lam, SEEDS)) for lam in (0.0, 1.0)]
    half = whole(Classification(TARGET, SOURCE, 0.5, SEEDS))
    torch.testing.assert_close(half.x, (ends[0].x + ends[1].x) / 2)
    assert torch.equal(half.target, ends[1].target) and torch.equal(half.source, ends[0].source)


def test_every_image_meets_a_source_image_of_its_class_where_pairs_are_class_matched():
    batch = whole(Classification(TARGET, SOURCE, 0.5, SEEDS, "class_matched"))
    assert torch.equal(batch.source, batch.target % 3)  # the source has three classes, the target four


@pytest.mark.parametrize(("pairing", "same"), [("fixed", True), ("random", False)])
def test_a_fixed_pair_is_the_same_in_every_epoch_whatever_its_order(pairing, same):
    def pairs(epoch):
        target, source = Classification(TARGET, SOURCE, 0.5, SEEDS, pairing)._order(0, epoch)
        return dict(zip(target.tolist(), source.tolist(), strict=True))

    assert (pairs(1) == pairs(2)) == same


def test_pixels_go_from_minus_one_to_one():
    assert normalised(torch.tensor([0, 255], dtype=torch.uint8), torch.float64).tolist() == [-1, 1]


def test_epochs_seeds_and_the_source_task_have_orders_of_their_own():
    problem = Classification(TARGET, None, 1.0, SEEDS)
    orders = [whole(problem, 1).x, whole(problem, 2).x]
    orders.append(whole(Classification(TARGET, None, 1.0, SEEDS, shuffling=Purpose.SOURCE_SHUFFLING)).x)
    same = [torch.equal(a, b) for i, a in enumerate(orders) for b in orders[:i]]
    assert not any(same) and not torch.equal(orders[0][0], orders[0][1])
    assert torch.equal(whole(problem, 2).x, orders[1])


def test_a_seed_alone_gets_the_batches_that_it_gets_among_others():
    alone = Classification(
        TARGET._replace(members=TARGET.members[1:]), SOURCE._replace(members=SOURCE.members[1:]), 0.5, SEEDS[1:]
    )
    among = Classification(TARGET, SOURCE, 0.5, SEEDS)
    for a, b in zip(
        alone.batches(slice(0, 1), 3, 15, torch.float32), among.batches(slice(1, 2), 3, 15, torch.float32), strict=True
    ):
        assert torch.equal(a.x, b.x)


SOURCE_CLASSES, TARGET_CLASSES = np.arange(1000) % 10, np.arange(20000) % 10


def test_random_partners_are_uniform_and_know_nothing_of_classes():
    drawn = partners("random", 3, 1, SOURCE_CLASSES, TARGET_CLASSES)
    counts = np.bincount(drawn, minlength=1000)
    assert ((counts - 20) ** 2 / 20).sum() == pytest.approx(999, abs=5 * np.sqrt(2 * 999))
    table = np.zeros((10, 10))
    np.add.at(table, (SOURCE_CLASSES[drawn], TARGET_CLASSES), 1)
    assert ((table - 200) ** 2 / 200).sum() == pytest.approx(90, abs=5 * np.sqrt(2 * 90))


@pytest.mark.parametrize("pairing", PAIRINGS)
def test_partners_are_redrawn_in_every_epoch_unless_fixed(pairing):
    first, again, second = (partners(pairing, 3, e, SOURCE_CLASSES, TARGET_CLASSES) for e in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.array_equal(first, second) == (pairing == "fixed")


def test_class_matched_partners_have_the_same_class_and_use_all_of_it():
    drawn = partners("class_matched", 3, 1, SOURCE_CLASSES, TARGET_CLASSES)
    assert np.array_equal(SOURCE_CLASSES[drawn], TARGET_CLASSES)
    assert len(np.unique(drawn)) == 1000


def test_a_class_that_the_source_lacks_takes_another_always_the_same():
    drawn = partners("class_matched", 3, 1, np.array([0, 0, 2, 2]), np.array([0, 1, 2, 3, 4, 5]))
    assert np.array([0, 0, 2, 2])[drawn].tolist() == [0, 2, 2, 2, 0, 2]
