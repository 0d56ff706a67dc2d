"""That the benchmark compares equal work, counts it rightly and says what it measured; never how fast anything is."""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmark import course, machine, measure, memory, overheads, report, sections, solvers
from benchmark.measure import Section, Spread, interleaved
from torch.utils.flop_counter import FlopCounterMode

from homotopy.errors import ConfigError, ResultError
from homotopy.solvers.fused import FusedEnsemble
from homotopy.solvers.mlp import MLP
from homotopy.solvers.optimizers import Optimizer
from scripts import bench
from tests.machine import needs_cpp

SCRIPTS = Path(bench.__file__).parent
SMALL = MLP(width=8, depth=2)
SHORT_RUN = (
    "profile=paper",
    "method=homotopy",
    "task.samples=300",
    "budget.source=2",
    "schedule.gamma=2",
    "budget.k=2",
)


def test_contestants_take_turns_after_warming_up(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    now = 0.0

    def contestant(name: str, seconds: float) -> Callable[[], None]:
        def call() -> None:
            nonlocal now
            now += seconds
            calls.append(name)

        return call

    monkeypatch.setattr(measure.time, "perf_counter", lambda: now)
    seconds = interleaved({"slow": contestant("slow", 2.0), "fast": contestant("fast", 0.5)}, 3, least=1.0)
    assert calls == ["slow", "fast"] * 2 + ["slow", "fast", "fast"] * 3
    assert seconds["slow"].tolist() == [2.0] * 3 and seconds["fast"].tolist() == [0.5] * 3


def test_a_spread_is_median_and_quartiles() -> None:
    assert Spread.of(np.array([4.0, 1.0, 2.0, 3.0, 100.0])) == Spread(3.0, 2.0, 4.0, 5)


@needs_cpp
def test_all_contestants_agree() -> None:
    assert solvers.check_agreement(solvers.builders(), SMALL, batch_size=32, samples=80) < 1e-12


def test_jax_takes_part_where_it_is_installed() -> None:
    pytest.importorskip("jax")
    assert "JAX" in solvers.builders()


def test_jax_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "benchmark.jax_solver", None)
    assert "JAX" not in solvers.builders()


@needs_cpp
def test_other_losses_print_no_ratio() -> None:
    def lazy(model: MLP, rule: Optimizer, theta: torch.Tensor, batch_size: int) -> FusedEnsemble:
        return FusedEnsemble(model, rule, theta, 2 * batch_size)

    with pytest.raises(ResultError, match="lazy"):
        solvers.check_agreement(solvers.builders() | {"lazy": lazy}, SMALL, batch_size=32, samples=80)


@pytest.mark.parametrize("model", [SMALL, MLP(inputs=3, width=5, depth=1), MLP(depth=0)])
def test_flops_are_those_that_pytorch_counts(model: MLP) -> None:
    network = solvers.sequential(model, solvers.initial(model, 1)[0])
    with FlopCounterMode(display=False) as counter:
        network(torch.randn(40, model.inputs)).sum().backward()
    assert solvers.flops(model, 40) == counter.get_total_flops()


def test_the_product_rate_is_the_best_by_its_median(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    work = 2 * machine.REPEATS * 2
    seconds = {
        "product 10": work * 1e3 / np.array([1.0, 9.0, 1.0]),  # once lucky
        "product 20 per core": work * 8e3 / np.array([2.0, 3.0, 2.0]),
        "other": np.array([1.0, 1.0, 1.0]),
    }
    np.testing.assert_allclose(machine.product_rate(seconds), [2, 3, 2])


def test_products_do_the_work_they_are_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    multiplied: list[tuple] = []
    monkeypatch.setattr(torch, "mm", lambda a, b, out: multiplied.append((*a.shape, *b.shape)))
    for name, run in machine.products().items():
        multiplied.clear()
        run()
        assert multiplied == [(int(name.split()[1]),) * 4] * (machine.REPEATS * torch.get_num_threads())


def test_the_machine_is_named_without_its_host() -> None:
    assert machine.slug() == machine.slug().lower()
    assert set(machine.slug()) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert platform.node() not in json.dumps(machine.describe())


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything small, and one thread: teams of threads crawl on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr(sections, "SAMPLES", 300)
    monkeypatch.setattr(sections, "ROUNDS", 2)
    monkeypatch.setattr(sections, "LEAST", 1e-9)
    monkeypatch.setattr(sections, "JAX_WIDTHS", (2,))
    monkeypatch.setattr(sections, "SEEDS", (1, 2))
    monkeypatch.setattr(sections, "GPU_SEEDS", (1, 2))
    monkeypatch.setattr(sections, "REFERENCE_SEEDS", (1,))
    monkeypatch.setattr(sections, "SHAPES", [(16, SMALL)])
    monkeypatch.setattr(sections, "LATE", 3)
    monkeypatch.setattr(sections, "POSITIONS", (0, 2))
    monkeypatch.setattr(course, "RUN", SHORT_RUN)
    monkeypatch.setattr(machine, "PRODUCT_SIZES", (32,))
    forget = [course.config.cache_clear, course._task.cache_clear]
    for each in forget:
        each()
    yield
    for each in forget:
        each()
    torch.set_num_threads(threads)


@needs_cpp
def test_the_moments_of_a_run_are_its_states_and_all_train_on_from_them(tiny: None, tmp_path: Path) -> None:
    first, last = course.moments([0, 3], 2)
    assert (first.done, first.lam, last.done, last.lam) == (0, 0.5, 3, 1.0)
    assert not first.state["exp_avg"].any() and float(last.state["step"]) == 3 * 2  # 240 samples to train on, batch 128
    last.write(tmp_path / "moment.pt")
    again = course.read(tmp_path / "moment.pt")
    assert all(torch.equal(value, last.state[name]) for name, value in again.state.items())
    losses = [course.epoch_from(build, again, 3)() for build in solvers.builders().values()]
    for loss in losses:
        torch.testing.assert_close(loss[[0, 1, 0]], loss, rtol=0, atol=0)  # the run's own seeds, repeated
        torch.testing.assert_close(loss, losses[0], rtol=1e-4, atol=0)


def test_a_whole_run_is_the_sum_of_its_epochs_with_straight_lines_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "POSITIONS", (0, 10, 30))
    monkeypatch.setattr(course, "EPOCHS", 100)
    np.testing.assert_allclose(sections._whole(np.array([[1.0], [3.0], [2.0]])), [20 + 50 + 140])


def test_the_gpu_s_contestants_train_where_they_are_told_to(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    allocated = iter([0, 2**20, 2**20, 3 * 2**20, *range(100)])
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: next(allocated))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: next(allocated))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
    rows = sections._on_gpu(torch.device("cpu"))
    assert [row[0] for row in rows[:2]] == ["plain loop", "plain loop, fused Adam"]
    assert [row[3] for row in rows[:2]] == [1, 2]  # MiB above what was held before
    assert rows[0][2].median == 1 and all(row[2].median > 0 for row in rows)
    assert torch.get_float32_matmul_precision() == "highest"


@needs_cpp
def test_every_table_is_complete(tiny: None, tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    measured: dict = {}
    for name in ("shapes", "late", "run", "contestants", "gpu", "seeds"):
        measured = bench.merged(bench.SECTIONS[name](), measured)
        bench.write(measured, path)
        measured = json.loads(path.read_text())
    names = [section["name"] for section in measured["sections"]]
    assert names == ["contestants", "late", "run", "seeds", "shapes", "gpu"]
    for section in measured["sections"]:
        assert all(len(row) == len(section["columns"]) for row in section["rows"])
        assert section["title"] in path.with_suffix(".md").read_text()
    fused = next(row for row in measured["sections"][0]["rows"] if row[0] == "fused ensemble, 32 at a time")
    assert fused[1] == {"median": 1.0, "q25": 1.0, "q75": 1.0, "n": 2}
    report.plot(measured, tmp_path / "again")
    assert (tmp_path / "again.png").read_bytes() == path.with_suffix(".png").read_bytes()


@needs_cpp
def test_shares_of_overheads_are_of_a_run(tiny: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(contestants: dict, *rest: object) -> dict:
        for run in contestants.values():
            run()
        return {name: np.array([0.5 if name == "epoch" else 25.0]) for name in contestants}

    monkeypatch.setattr(overheads, "_run", lambda *arguments: None)
    monkeypatch.setattr(overheads, "in_turn", timed)
    monkeypatch.setattr(overheads, "interleaved", timed)
    monkeypatch.setattr(overheads, "SAMPLES", 300)
    rows = {row[0]: row[1:] for row in overheads.overheads().rows}
    assert rows["nothing but `import torch`"] == [Spread(25, 25, 25, 1), ""]
    assert rows["writing results"] == [Spread(25, 25, 25, 1), Spread(2, 2, 2, 1)]  # per cent of 2500 epochs of 0.5 s


def test_made_up_curves_are_as_long_as_the_papers() -> None:
    frame = overheads.curves(92, 8)
    assert set(frame["seed"]) == set(range(92, 100))
    assert len(frame) == 8 * 251 and frame["epoch"].max() == 2500


def test_sections_not_asked_for_are_kept() -> None:
    new = Section("seeds", "new", "Text", ["a"], [[Spread(1.0, 0.5, 2.0, 3)]])
    saved = {"sections": [{"name": "seeds", "title": "old"}, {"name": "contestants", "title": "old"}]}
    measured = bench.merged(new, saved)
    assert [section["title"] for section in measured["sections"]] == ["old", "new"]
    assert ["made" in section for section in measured["sections"]] == [False, True]
    assert time.strftime("%Y") in report.table(measured["sections"][1])


def test_a_cell_shows_the_spread() -> None:
    assert report.cell({"median": 6.789, "q25": 6.5, "q75": 123.4, "n": 7}) == "6.79 (6.5 to 123)"
    assert report.cell({"median": 0.6789, "q25": 0.6, "q75": 0.7, "n": 7}) == "0.68 (0.6 to 0.7)"


def test_an_unknown_section_is_named() -> None:
    with pytest.raises(ConfigError, match="sections=sedes"):
        bench.main(["sections=sedes"])


def test_the_peak_of_a_process_is_its_own_not_its_parent_s() -> None:
    held = np.ones(50_000_000)
    assert memory.own_peak() > held.nbytes
    code = "from benchmark.memory import own_peak; print(own_peak())"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    child = int(done.stdout)
    assert child < memory.own_peak() - 0.5 * held.nbytes
