"""The report's tables from made-up results."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from homotopy import compose
from homotopy.errors import ResultError
from homotopy.figures import omega_gamma
from homotopy.job import parse
from homotopy.report import tables
from homotopy.results.folder import RunFolder
from homotopy.results.library import Library, Place, result
from homotopy.results.timing import seconds_per_epoch
from tests.made import HARDWARE, save, save_experiment


@pytest.fixture
def library(tmp_path):
    return Library(Place(tmp_path, "smoke"))


def by_method(**losses):
    """Return losses by method; seeds differ a little, around that of seed 0.5."""
    return lambda config, seed: losses[config.method.name] * (1 + 0.01 * (seed - 0.5))


def test_the_fair_comparison_counts_the_source_solution(library):
    save_experiment("fig1", library.place, by_method(random=0.2, warmstart=0.1, homotopy=0.01))
    table = tables.fair(library.results("fig1")).set_index(["task", "method"])
    random, homotopy = (table.loc[("sine-omega74", method)] for method in ("random", "homotopy"))
    assert homotopy["epochs"] == random["epochs"] + 1
    assert (homotopy["n"], homotopy["train loss"], homotopy["test loss"]) == pytest.approx((2, 0.01, 0.02))
    assert random["threshold"] == pytest.approx(0.25)
    assert homotopy["epochs to"] == random["epochs to"] + 1  # both come there in the last epoch
    assert random["seconds per run"] == pytest.approx(1.0)  # two seeds trained together for 2 s
    assert homotopy["seconds per run"] == pytest.approx(homotopy["epochs"] / random["epochs"])
    assert homotopy["hardware"] == HARDWARE


def test_time_is_that_of_the_group_that_was_disturbed_least(library):
    first, second, *_ = library.results("fig1")
    curves = pd.DataFrame(
        [(seed, 1, 1.0, "final", 0.1, 0.1, 0.1) for seed in range(3)],
        columns=["seed", "epoch", "lam", "phase", "train_loss", "target_loss", "test_loss"],
    )
    for of, seeds, seconds in ((first, [0], 3.0), (first, [1, 2], 2.0), (second, [0], 4.0)):
        record = {"seeds": seeds, "seconds": seconds, "hardware": HARDWARE, "commit": "0123456789"}
        RunFolder(of.config.folder).add(curves[curves["seed"].isin(seeds)], record, {})
    assert seconds_per_epoch([first, second], HARDWARE) == pytest.approx(1.0 / first.config.epochs)


def test_sensitivity_names_what_was_changed_and_compares_medians(tmp_path):
    options = ["experiment=sensitivity", "profile=smoke", f"results.root={tmp_path}"]
    settings = "variation=none,noise_high,batch_small,batch_large"  # a part of them
    jobs = [parse(composed) for composed in compose.jobs([*options, settings])]
    losses = {"random": 0.4, "warmstart": 0.2, "homotopy": 0.1}
    for of in (job.config for job in jobs):
        method = of.method.name
        factor = {(0.1, 128): 5.0, (0.01, 512): 1.9}.get((of.task.noise, of.batch_size), 1.0)
        loss = losses[method] * (factor if method == "homotopy" else 1.0)
        if (method, of.batch_size) != ("random", 32):
            save(of, lambda config, seed, loss=loss: loss)
    table = tables.sensitivity("sensitivity", jobs, [result(job.config) for job in jobs]).set_index("setting")
    assert list(table.index) == ["default", "task.noise=0.1", "batch_size=32", "batch_size=512"]
    default = table.loc["default", ["random", "warmstart", "homotopy", "ratio", "ordering"]].tolist()
    assert default == [0.4, 0.2, 0.1, 2.0, "yes"]
    assert table.loc[["task.noise=0.1", "batch_size=512"], "ordering"].tolist() == ["no", "alike"]
    missing = table.loc["batch_size=32"]
    assert np.isnan(missing["random"]) and missing["homotopy"] == 0.1 and missing["ordering"] == ""


@pytest.mark.parametrize(("ours", "expected"), [([0.2] * 4, "alike"), ([0.05, 0.2, 0.2, 0.8], "alike (open)")])
def test_alike_is_open_where_the_interval_reaches_beyond_the_factor(tmp_path, ours, expected):
    options = ["experiment=sensitivity", "profile=smoke", f"results.root={tmp_path}", "variation=none", "seeds=4"]
    jobs = [parse(composed) for composed in compose.jobs(options)]
    for of in (job.config for job in jobs):
        losses = ours if of.method.name == "homotopy" else [0.2] * 4
        save(of, lambda config, seed, losses=losses: losses[seed])
    table = tables.sensitivity("sensitivity", jobs, [result(job.config) for job in jobs])
    assert table["ordering"].tolist() == [expected]


def test_completeness_counts_runs_and_names_hardware(library):
    save_experiment("fig1", library.place, by_method(random=0.2, warmstart=0.1, homotopy=0.01), seeds=1)
    (library.place.folder / "theory").mkdir()
    (library.place.folder / "theory" / "run.csv").touch()
    first = library.results("fig1")[0].config
    save(first, lambda config, seed: 0.1)
    table = tables.completeness(library, ["fig1", "fig8", "theory"]).set_index("experiment")
    assert list(table.index) == ["fig1", "fig8", "theory"]
    counts = ["configurations", "complete", "runs", "done", "least seeds", "most seeds"]
    assert table.loc["fig1", counts].tolist() == [6, 1, 12, 7, 1, 2]
    assert table.loc["fig8", counts].tolist() == [6, 0, 12, 0, 0, 0]
    assert table.loc["theory", counts].tolist() == [9, 1, 0, 0, 0, 0]  # it trains nothing, and has made one file
    assert (table.loc["fig1", "hardware"], table.loc["fig1", "code"]) == (HARDWARE, "unknown solver: 0123456")


def test_completeness_names_solvers_and_commits_and_marks_dirty_ones(library):
    first, second, *_ = library.results("fig1")
    curves = pd.DataFrame({"seed": [0], "epoch": 1, "lam": 1.0, "phase": "final", "train_loss": 1.0})
    origin = {"seeds": [0], "solver": "Reference", "commit": "c" * 40, "dirty": True}
    made = {"seeds": [0], "solver": "Fast", "commit": "b" * 40, "dirty": False}
    RunFolder(first.config.folder).add(curves, made | {"source": [origin]}, {})
    RunFolder(second.config.folder).add(curves, made | {"commit": "a" * 40, "dirty": True}, {})
    table = tables.completeness(library, ["fig1"])
    assert table["code"].tolist() == ["Fast: aaaaaaa-dirty, bbbbbbb; Reference: ccccccc-dirty"]


def test_the_search_names_the_best_of_each_method_on_a_target(library):
    def final(config, seed):
        if config.method.name == "random":
            return 1.0 + config.batch_size / 32 + seed - 1000
        return 1.0 + abs(config.schedule.gamma - 10) + seed - 1000

    for name in ("search_fashion", "search_cifar"):
        save_experiment(name, library.place, final)
    table = tables.search(library.results("search_fashion", "search_cifar"))
    best = table[table["best"]].set_index(["target", "method"])
    assert set(best.index) == {(t, m) for t in ("FashionMNIST", "CIFAR10") for m in ("random", "homotopy")}
    assert set(best.xs("random", level="method")["batch"]) == {32}
    assert set(best.xs("homotopy", level="method")["gamma"]) == {10}
    assert best.loc[("CIFAR10", "homotopy"), "losses"] == "1.0000 2.0000"
    assert best.loc[("CIFAR10", "homotopy"), ["loss", "accuracy"]].tolist() == pytest.approx([1.5, 0.5])


def test_the_search_names_no_best_while_one_of_its_settings_lacks_a_seed(tmp_path):
    place = Place(tmp_path, "paper")
    first, *others = (job.config for job in Library(place).jobs("search_fashion"))
    for found in (replace(first, seeds=first.seeds[:1]), *others):
        save(found, lambda of, seed: 1.0)
    table = tables.search(Library(place).results("search_fashion"))
    assert not table[table["method"] == first.method.name]["best"].any()
    assert table[table["method"] != first.method.name]["best"].any()


def test_methods_without_a_seed_in_common_have_no_ratio_and_no_row(tmp_path):
    place = Place(tmp_path, "quick")
    for found in (job.config for job in Library(place).jobs("omega_gamma")):
        save(replace(found, seeds=(int(found.method.name == "homotopy"),)), lambda of, seed: 0.1)
    results = Library(place).results("omega_gamma")
    assert omega_gamma.ratios(results).empty
    with pytest.raises(ResultError, match="omega_gamma"):
        omega_gamma.draw(place)
    first = {found.config.method.name: found for found in reversed(results)}
    row = tables._ordering({"random": first["warmstart"], **first})
    assert row["n"] == 0 and np.isnan(row["ratio"]) and row["ordering"] == ""
