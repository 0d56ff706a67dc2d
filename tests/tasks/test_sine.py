"""The sine study's data and its two deformations."""

import numpy as np
import pytest
import torch

from homotopy.algorithm.deformations import filter_targets, frequency_shift
from homotopy.tasks.sine import Sine, _filter_samples

SETTINGS = {
    "omega": 74.0,
    "source_omega": 1.0,
    "noise": 0.01,
    "samples": 500,
    "train_fraction": 0.8,
    "deformation": "linear_targets",
    "filter_samples": 400,
    "filter_width": 0.003,
}


def load(seeds=(0, 1), **changed):
    return Sine(**(SETTINGS | changed)).load(list(seeds), torch.device("cpu"), torch.float64)


def test_the_data_are_eq_19():
    target = load(noise=0.0).target()
    torch.testing.assert_close(target.y, torch.sin(74 * target.x))
    assert target.x.shape == (2, 400, 1)
    assert 0 <= target.x.min() < 0.05 and 0.95 < target.x.max() <= 1


def test_noise_is_a_standard_deviation():
    noisy, clean = load(samples=10000, noise=0.01).target(), load(samples=10000, noise=0.0).target()
    assert float((noisy.y - clean.y).std()) == pytest.approx(0.01, rel=0.05)


def test_source_and_target_noise_are_independent():
    deformation = load(samples=10000, omega=1.0)
    source, target = deformation.source(), deformation.target()
    correlation = np.corrcoef(*(np.ravel((p.y - torch.sin(p.x))[0]) for p in (source, target)))[0, 1]
    assert abs(correlation) < 0.05


@pytest.mark.parametrize("deformation", ["linear_targets", "gaussian_filter", "amplitude", "frequency"])
def test_lam_0_is_the_source(deformation):
    task = load(deformation=deformation)
    torch.testing.assert_close(task.at(0.0).y, task.source().y, rtol=0, atol=0)
    torch.testing.assert_close(task.at(0.0).x, task.source().x, rtol=0, atol=0)


@pytest.mark.parametrize("deformation", ["linear_targets", "frequency"])
def test_lam_1_is_the_target_bit_for_bit(deformation):
    task = load(deformation=deformation)
    assert torch.equal(task.at(1.0).y, task.target().y)
    assert torch.equal(task.at(1.0).x, task.target().x)


def test_amplitude_scales_the_target_and_has_no_source_task():
    task = load(deformation="amplitude")
    torch.testing.assert_close(task.at(0.3).y, 0.3 * task.target().y)
    assert torch.equal(task.at(1.0).y, load().target().y)  # the same data
    settings = Sine(**SETTINGS | {"deformation": "amplitude"})
    assert "source_omega" not in settings.identity(needs_source=True, needs_path=True)


def test_frequency_moves_omega_and_nothing_else():
    task = load(deformation="frequency", noise=0.0)
    for lam in (0.25, 0.5):
        torch.testing.assert_close(task.at(lam).y, torch.sin((1 + 73 * lam) * task.source().x))
    each = task.at(torch.tensor([0.25, 0.5]).reshape(-1, 1, 1)).y
    torch.testing.assert_close(each[1], task.at(0.5).y[1])


def test_frequency_takes_each_seed_s_lam_to_the_device_of_the_data():
    x = torch.rand(2, 5, 1, device="meta")  # a device that computes nothing, in the place of a GPU
    assert frequency_shift(x, 1.0, 9.0, torch.tensor([0.2, 0.5]).reshape(2, 1, 1)).device == x.device


def test_without_a_path_frequency_is_eq_14():
    moved, mixed = (Sine(**SETTINGS | {"deformation": name}) for name in ("frequency", "linear_targets"))
    identities = [task.identity(needs_source=True, needs_path=False) for task in (moved, mixed)]
    assert identities[0] == identities[1]
    assert moved.identity(needs_source=True, needs_path=True) != mixed.identity(needs_source=True, needs_path=True)


def test_frequency_has_the_noise_of_eq_14():
    noise = {}
    for deformation in ("frequency", "linear_targets"):
        noisy, clean = (load(deformation=deformation, noise=sd).at(0.3).y for sd in (0.1, 0.0))
        noise[deformation] = noisy - clean
    torch.testing.assert_close(noise["frequency"], noise["linear_targets"])


def test_frequency_starts_at_the_source_solutions_of_eq_14():
    ours, eq14 = (Sine(**SETTINGS | {"deformation": name}) for name in ("frequency", "linear_targets"))
    assert ours.source_identity() == eq14.source_identity()
    kept = {"needs_source": True, "needs_path": True}
    assert ours.identity(**kept) != eq14.identity(**kept)


def test_standardised_features_have_mean_0_and_variance_1():
    x, raw = (load(samples=10000, features=features).target().x for features in ("standardised", "raw"))
    assert float(x.mean()) == pytest.approx(0, abs=0.05)
    assert float(x.var()) == pytest.approx(1, abs=0.05)
    torch.testing.assert_close(x / np.sqrt(12) + 0.5, raw)


def test_fourier_features_are_five_octaves_of_sine_and_cosine():
    task, raw = load(features="fourier"), load().target().x
    x = task.target().x
    assert x.shape == (2, 400, 10)
    for octave in range(5):
        sine, cosine = x[..., octave : octave + 1], x[..., octave + 5 : octave + 6]
        torch.testing.assert_close(sine, torch.sin(2 * np.pi * 2**octave * raw))
        torch.testing.assert_close(sine**2 + cosine**2, torch.ones_like(raw))


def test_features_change_what_is_read_and_nothing_else():
    for deformation in ("linear_targets", "gaussian_filter", "frequency"):
        raw, read = (load(deformation=deformation, features=features) for features in ("raw", "fourier"))
        assert torch.equal(read.at(0.3).y, raw.at(0.3).y)
        assert read.source().x.shape[2] == read.target().x.shape[2] == 10


def test_raw_features_leave_an_identity_as_it_was_before_there_were_others():
    for features, names in (("raw", False), ("fourier", True)):
        task = Sine(**SETTINGS | {"features": features})
        assert ("features" in task.identity(needs_source=False, needs_path=False)) == names
        assert ("features" in task.source_identity()) == names


def test_lam_one_half_is_the_mean_of_both_at_the_same_x():
    task = load()
    torch.testing.assert_close(task.at(0.5).y, (task.source().y + task.target().y) / 2)


def test_the_filter_works_at_the_source_s_own_inputs():
    task = load(deformation="gaussian_filter")
    assert not torch.equal(task.at(0.5).x, task.target().x)
    assert task.at(0.5).y_target is None


def test_the_filter_approximates_the_target_inside_and_halves_it_at_the_ends():
    x = torch.linspace(0, 1, 20001, dtype=torch.float64).reshape(1, -1, 1)
    ones = torch.ones_like(x)
    places = torch.tensor([0.5, 0.0, 1.0], dtype=torch.float64).reshape(1, -1, 1)
    every = torch.arange(20001).reshape(1, -1)
    filtered = filter_targets(places, x, ones, every, width=0.01).ravel()
    assert filtered.tolist() == pytest.approx([1.0, 0.5, 0.5], abs=2e-3)


def test_the_filter_is_the_sum_of_eq_21_over_the_samples_drawn():
    rng = torch.Generator().manual_seed(0)
    places, x, y = (torch.rand(2, n, 1, generator=rng, dtype=torch.float64) for n in (3, 7, 7))
    drawn = torch.tensor([[0, 5, 6], [4, 1, 2]])
    found = filter_targets(places, x, y, drawn, width=0.2)
    for seed in range(2):
        for place in range(3):
            near = ((places[seed, place] - x[seed, drawn[seed], 0]) / 0.2).square()
            weights = torch.exp(-near / 2) / (np.sqrt(2 * np.pi) * 0.2)
            assert float(found[seed, place]) == pytest.approx(float((weights * y[seed, drawn[seed], 0]).mean()))


def test_the_filter_s_path_leads_to_the_target_s_values():
    task = load(
        deformation="gaussian_filter", omega=5.0, noise=0.0, samples=5000, filter_samples=4000, filter_width=0.01
    )
    end, target = task.at(1.0), task.target()
    inside = (end.x > 0.05) & (end.x < 0.95)
    torch.testing.assert_close(end.y[inside], torch.sin(5 * end.x[inside]), rtol=0, atol=0.3)
    assert float((end.y - torch.sin(5 * end.x))[inside].square().mean()) < 0.02
    torch.testing.assert_close(target.y, torch.sin(5 * target.x))


def test_the_filter_draws_no_sample_twice():
    drawn = _filter_samples([0, 1], 50, 50)
    assert [sorted(each) for each in drawn.tolist()] == [list(range(50))] * 2


def test_the_filter_s_losses_are_on_the_target_s_training_and_test_data():
    class Names:
        """An ensemble whose loss is the number of the values that it is given."""

        def evaluate(self, x, y):
            return x.shape[1], y

    task = load(deformation="gaussian_filter", noise=0.0)
    (n_test, y_test), (n_train, y_train) = (task.metrics(Names())[name] for name in ("test_loss", "target_loss"))
    assert (n_test, n_train) == (100, 400)
    assert torch.equal(y_train, task.target().y) and not set(y_test.ravel().tolist()) & set(y_train.ravel().tolist())


@pytest.mark.parametrize("changed", [{"noise": 0.1}, {"samples": 50}, {"train_fraction": 0.5}, {"source_omega": 2.0}])
def test_other_source_data_are_another_source_task(changed):
    one, other = (Sine(**SETTINGS | more).source_identity() for more in ({}, changed))
    assert one != other
    assert one == Sine(**SETTINGS | {"omega": 5.0}).source_identity()


def test_seeds_are_independent_and_a_seed_is_the_same_in_any_company():
    alone, together = load(seeds=[7]).target(), load(seeds=[3, 7]).target()
    assert torch.equal(alone.x[0], together.x[1]) and torch.equal(alone.y[0], together.y[1])
    assert not torch.equal(together.x[0], together.x[1])


def test_each_epoch_has_its_own_order_of_the_same_pairs():
    target = load().target()
    (x1, y1, t1), (x2, _, _) = target.shuffled(1), target.shuffled(2)
    assert not torch.equal(x1, x2)
    assert torch.equal(x1.sort(dim=1).values, x2.sort(dim=1).values)
    assert torch.equal(y1, t1)  # on the target, objective and target agree pair by pair
    back = {float(a): float(b) for a, b in zip(target.x[0], target.y[0], strict=True)}
    assert all(back[float(a)] == float(b) for a, b in zip(x1[0], y1[0], strict=True))
