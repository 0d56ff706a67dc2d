"""The fast ensemble against plain PyTorch and against the reference, and what must never depend on the neighbours."""

import platform
import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from homotopy.algorithm.corrector import Ensemble
from homotopy.solvers import fused, native
from homotopy.solvers.fused import FusedEnsemble
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import SGD, Adam, Optimizer
from homotopy.solvers.reference import AutogradEnsemble
from homotopy.tasks.regression import Regression
from tests.machine import needs_cpp

pytestmark = needs_cpp
fused_library = fused.library
MODEL = MLP(width=20, depth=3)
RULES = [Adam(), SGD(momentum=0.9), SGD(momentum=0.0)]
BATCH, SAMPLES, LR = 32, 100, 2e-3  # three whole mini-batches and one of four samples
MODELS = [MODEL, MLP(inputs=3, width=7, depth=1, outputs=2), MLP(depth=0)]


def initial(seeds: range, model: MLP = MODEL, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.stack([torch.from_numpy(model.initial(np.random.default_rng(seed))) for seed in seeds]).to(dtype)


def sine(seeds: range, model: MLP = MODEL, dtype: torch.dtype = torch.float64, samples: int = SAMPLES) -> Regression:
    rng = [np.random.default_rng((seed, 1)) for seed in seeds]
    x = torch.from_numpy(np.stack([r.uniform(size=(samples, model.inputs)) for r in rng])).to(dtype)
    y = torch.sin(torch.arange(6, 6 + model.outputs, dtype=dtype) * x.sum(-1, keepdim=True))
    return Regression(x, y, y + 0.1, list(seeds))


def train(ensemble: Ensemble, problem: Regression, epochs: range = range(1, 4)) -> list[Tensor]:
    losses = [ensemble.epoch(problem, epoch, LR) for epoch in epochs]
    return [torch.stack([loss.objective, loss.target]) for loss in losses]


def sequential(model: MLP, theta: Tensor) -> nn.Sequential:
    modules: list[nn.Module] = []
    start = 0
    for fan_in, fan_out in model.layers:
        linear = nn.Linear(fan_in, fan_out, dtype=theta.dtype)
        middle, stop = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
        linear.weight.data = theta[start:middle].view(fan_in, fan_out).t().clone()
        linear.bias.data = theta[middle:stop].clone()
        modules += [linear, nn.ReLU()]
        start = stop
    return nn.Sequential(*modules[:-1])


def plain_loop(model: MLP, rule: Optimizer, theta: Tensor, problem: Regression, seed: int) -> tuple[Tensor, list]:
    """One seed trained as a PyTorch tutorial would; returns theta and the mean objective and target losses."""
    net = sequential(model, theta)
    is_adam = rule.is_adam
    solver = torch.optim.Adam(net.parameters(), LR) if is_adam else torch.optim.SGD(net.parameters(), LR, rule.momentum)
    losses = []
    for epoch in range(1, 4):
        x, y, y_target = (values[seed] for values in problem.shuffled(epoch))
        sums = torch.zeros(2, dtype=torch.float64)
        for x_batch, y_batch, t_batch in zip(x.split(BATCH), y.split(BATCH), y_target.split(BATCH), strict=True):
            prediction = net(x_batch)
            loss = (prediction - y_batch).square().sum() / len(x_batch)
            solver.zero_grad()
            loss.backward()
            solver.step()
            sums += torch.stack([(prediction - v).square().sum() for v in (y_batch, t_batch)]).detach()
        losses.append(sums / SAMPLES)
    linears = [module for module in net if isinstance(module, nn.Linear)]
    return torch.cat([part for m in linears for part in (m.weight.t().flatten(), m.bias)]).detach(), losses


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("model", MODELS)
def test_equals_plain_loop_seed_by_seed(model: MLP, rule: Optimizer) -> None:
    seeds = range(3)
    theta, problem = initial(seeds, model), sine(seeds, model)
    ensemble = FusedEnsemble(model, rule, theta, BATCH)
    losses = train(ensemble, problem)
    for s in seeds:
        expected_theta, expected_losses = plain_loop(model, rule, theta[s], problem, s)
        torch.testing.assert_close(ensemble.theta[s], expected_theta, rtol=1e-9, atol=1e-10)
        torch.testing.assert_close([loss[:, s] for loss in losses], expected_losses, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-3)])
def test_equals_reference(rule: Optimizer, dtype: torch.dtype, tolerance: float) -> None:
    seeds = range(4)
    problem = sine(seeds, dtype=dtype)
    pair = [kind(MODEL, rule, initial(seeds, dtype=dtype), BATCH) for kind in (AutogradEnsemble, FusedEnsemble)]
    expected, got = (torch.stack(train(ensemble, problem)) for ensemble in pair)
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=0)
    torch.testing.assert_close(pair[1].theta, pair[0].theta, rtol=0, atol=tolerance)
    evaluations = [ensemble.evaluate(problem.x, problem.y) for ensemble in pair]
    torch.testing.assert_close(evaluations[1], evaluations[0], rtol=tolerance, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_seed_alone_equals_the_seed_among_many(dtype: torch.dtype) -> None:
    """Bit for bit: a seed's products have the same shapes and buffers whoever trains beside it."""
    seeds, alone = range(6), range(4, 5)
    many = FusedEnsemble(MODEL, Adam(), initial(seeds, dtype=dtype), BATCH)
    one = FusedEnsemble(MODEL, Adam(), initial(alone, dtype=dtype), BATCH)
    losses_many, losses_one = train(many, sine(seeds, dtype=dtype)), train(one, sine(alone, dtype=dtype))
    assert torch.equal(many.theta[4:5], one.theta)
    assert torch.equal(torch.stack(losses_many)[..., 4:5], torch.stack(losses_one))


def test_the_number_of_threads_does_not_change_the_numbers() -> None:
    """On the paper's network, whose seeds take long enough to overlap in time."""
    seeds, model = range(5), MLP()
    ensembles = [FusedEnsemble(model, Adam(), initial(seeds, model), BATCH, threads=n) for n in (1, 2, 3)]
    losses = [torch.stack(train(ensemble, sine(seeds, samples=1000))) for ensemble in ensembles]
    for ensemble, loss in zip(ensembles[1:], losses[1:], strict=True):
        assert torch.equal(ensemble.theta, ensembles[0].theta)
        assert torch.equal(loss, losses[0])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have no such option")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rule", RULES)
def test_neither_shorter_vectors_nor_what_a_compiler_prefers_change_a_bit(
    rule: Optimizer, dtype: torch.dtype, monkeypatch
) -> None:
    """At sizes that no vector divides, with AVX2 alone, and for Zen 2, where GCC likes a product and a sum better."""
    model, seeds = MLP(inputs=2, width=41, depth=2), range(2)
    found = []
    for options in ([], ["-march=haswell"], ["-march=haswell", "-mtune=znver2"]):
        monkeypatch.setattr(fused, "library", lambda of, given=options: fused_library(of, *given))
        ensemble = FusedEnsemble(model, rule, initial(seeds, model, dtype), BATCH)
        losses = torch.stack(train(ensemble, sine(seeds, model, dtype)))
        found.append((ensemble.theta, losses, ensemble.evaluate(*sine(seeds, model, dtype).shuffled(1)[:2])))
    assert all(torch.equal(other, first) for each in found[1:] for other, first in zip(each, found[0], strict=True))


def test_threads_of_the_caller_are_left_alone() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        train(FusedEnsemble(MODEL, Adam(), initial(range(3)), BATCH), sine(range(3)))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other processors have no such option")
def test_a_processor_without_fused_multiply_adds_is_refused() -> None:
    with pytest.raises(native.Unavailable):
        fused_library(torch.float32, "-march=sandybridge")


def state_with(ensemble: Ensemble, problem: Regression, small: float) -> dict[str, Tensor]:
    """Train, then put a small number in the place of some parameters and moments, and continue for an epoch."""
    train(ensemble, problem, range(1, 2))
    state = ensemble.state()
    for name in ("theta", "exp_avg", "exp_avg_sq"):
        state[name][:, ::2] = small
    ensemble.load(state)
    train(ensemble, problem, range(2, 3))
    return ensemble.state()


@pytest.mark.parametrize("kind", [AutogradEnsemble, FusedEnsemble])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_subnormal_numbers_are_taken_for_0_and_none_are_made(dtype: torch.dtype, kind: type) -> None:
    seeds = range(2)
    smallest = torch.finfo(dtype).smallest_normal
    zero, subnormal = (
        state_with(kind(MODEL, Adam(), initial(seeds, dtype=dtype), BATCH), sine(seeds, dtype=dtype), small)
        for small in (0.0, smallest / 8)
    )
    assert all(torch.equal(zero[name], subnormal[name]) for name in zero)
    for value in subnormal.values():
        assert not ((value != 0) & (value.abs() < smallest)).any()


@pytest.mark.parametrize("kind", [AutogradEnsemble, FusedEnsemble])
def test_evaluation_takes_subnormal_numbers_for_0(kind: type) -> None:
    model = MLP(depth=0)
    ensemble = kind(model, Adam(), torch.tensor([[1.0, 0.0]]), BATCH)
    x = torch.full((1, 10, 1), torch.finfo(torch.float32).smallest_normal / 8)
    assert ensemble.evaluate(x, torch.zeros_like(x)) == 0


@pytest.mark.parametrize("flushes", [False, True])
def test_a_thread_treats_subnormal_numbers_afterwards_as_before(flushes: bool) -> None:
    """Called here in a thread whose choice is known, as a user's process would call the C++."""
    x, y, _ = sine(range(1), dtype=torch.float32).shuffled(1)
    ensemble = FusedEnsemble(MODEL, Adam(), initial(range(1), dtype=torch.float32), BATCH, threads=1)
    caller = ensemble._workers
    caller.submit(torch.set_flush_denormal, flushes).result()
    ensemble.epoch(Regression(x, y, None, [0]), 1, LR)
    ensemble.evaluate(x, y)
    product = caller.submit(lambda: np.float32(1e-30) * np.float32(1e-10)).result()
    assert (product == 0) == flushes


def test_the_reference_leaves_its_caller_s_subnormal_numbers_alone() -> None:
    """And flushes them in every thread of PyTorch that works for it."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        ensemble = AutogradEnsemble(MODEL, Adam(), initial(range(2)), BATCH)
        train(ensemble, sine(range(2)))
        many = torch.full((1 << 20,), 1e-30)  # enough that PyTorch shares them between its threads
        assert (many * 1e-10).all()
        assert not ensemble._thread.submit(lambda: many * 1e-10).result().any()
        assert (many * 1e-10).all()
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e300])
@pytest.mark.parametrize("parameters", [slice(None), 0])
def test_a_diverged_seed_leaves_its_neighbours_alone(bad: float, parameters: slice | int) -> None:
    """And is seen to have diverged, if it is a single weight that did: no ReLU hides it."""
    seeds = range(4)
    theta = initial(seeds)
    healthy = FusedEnsemble(MODEL, Adam(), theta, BATCH, threads=1)
    theta[1, parameters] = bad
    infected = FusedEnsemble(MODEL, Adam(), theta, BATCH, threads=1)
    losses_healthy, losses = (torch.stack(train(ensemble, sine(seeds))) for ensemble in (healthy, infected))
    others = [0, 2, 3]
    assert torch.equal(infected.theta[others], healthy.theta[others])
    assert torch.equal(losses[..., others], losses_healthy[..., others])
    assert not losses[-1, :, 1].isfinite().any()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("before", [0, 2])
def test_a_loaded_state_continues_bit_for_bit(rule: Optimizer, before: int) -> None:
    seeds = range(3)
    problem = sine(seeds)
    first = FusedEnsemble(MODEL, rule, initial(seeds), BATCH)
    train(first, problem, range(1, before + 1))
    state = first.state()
    second = FusedEnsemble(MODEL, rule, torch.zeros_like(first.theta), BATCH)
    train(second, problem, range(1, 2))  # moments that loading must replace
    second.load(state)
    after = range(before + 1, before + 3)
    assert torch.equal(torch.stack(train(first, problem, after)), torch.stack(train(second, problem, after)))
    assert torch.equal(first.theta, second.theta)
    assert not torch.equal(state["theta"], first.theta)  # a copy, not a view of what training moves


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("before", [0, 2])
@pytest.mark.parametrize("kinds", [(AutogradEnsemble, FusedEnsemble), (FusedEnsemble, AutogradEnsemble)])
def test_a_state_of_one_kind_loads_in_the_other(kinds: tuple[type, type], before: int, rule: Optimizer) -> None:
    seeds = range(3)
    problem = sine(seeds)
    ensembles = [kind(MODEL, rule, initial(seeds), BATCH) for kind in kinds]
    train(ensembles[0], problem, range(1, before + 1))
    train(ensembles[1], problem, range(1, 2))  # moments that loading must replace
    ensembles[1].load(ensembles[0].state())
    after = range(before + 1, before + 3)
    expected, got = (torch.stack(train(ensemble, problem, after)) for ensemble in ensembles)
    torch.testing.assert_close(got, expected, rtol=1e-8, atol=0)
    if before:
        assert ensembles[0].state().keys() == ensembles[1].state().keys()


def test_forgotten_moments_are_those_of_a_new_ensemble() -> None:
    seeds = range(2)
    problem = sine(seeds)
    used = FusedEnsemble(MODEL, Adam(), initial(seeds), BATCH)
    train(used, problem)
    new = FusedEnsemble(MODEL, Adam(), used.theta, BATCH)
    used.reset_moments()
    assert torch.equal(torch.stack(train(used, problem)), torch.stack(train(new, problem)))


def test_data_that_do_not_suit_are_refused() -> None:
    x, y, _ = sine(range(2)).shuffled(1)
    ensemble = FusedEnsemble(MODEL, Adam(), initial(range(2)), BATCH)
    for data in ((x[:1], y), (x, y[:, :-1]), (x.expand(-1, -1, 2), y), (x, y.expand(-1, -1, 2)), (x.float(), y)):
        with pytest.raises(ValueError, match="data must be"):
            ensemble.evaluate(*data)
    with pytest.raises(ValueError, match="parameters"):
        FusedEnsemble(MODEL, Adam(), initial(range(2))[:, :-1].contiguous(), BATCH)
    every_second = torch.stack([x, y]).repeat_interleave(2, dim=2)[:, :, ::2]
    assert torch.equal(ensemble.evaluate(*every_second), ensemble.evaluate(x, y))


@pytest.mark.skipif(platform.system() != "Linux", reason="limits and measures memory as Linux does")
def test_too_little_memory_is_an_error_of_python() -> None:
    limits = resource.getrlimit(resource.RLIMIT_AS)
    model, samples = MLP(width=1000, depth=2), 10**6
    ensemble = FusedEnsemble(model, Adam(), torch.zeros(1, model.size), samples)
    x = torch.zeros(1, samples, 1)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 10**9, limits[1]))  # of some 10 GB that it needs
    try:
        with pytest.raises(MemoryError):
            ensemble.evaluate(x, x)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def test_an_objective_without_target_values_reports_no_target_loss() -> None:
    problem = sine(range(2))
    ensemble = FusedEnsemble(MODEL, Adam(), initial(range(2)), BATCH)
    assert ensemble.epoch(Regression(problem.x, problem.y, None, problem.seeds), 1, LR).target is None


def test_theta_is_copied() -> None:
    theta = initial(range(2))
    before = theta.clone()
    ensemble = FusedEnsemble(MODEL, Adam(), theta, BATCH)
    train(ensemble, sine(range(2)))
    assert torch.equal(theta, before)
    ensemble.theta.zero_()
    assert ensemble.theta.any()
