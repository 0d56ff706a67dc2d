"""A configuration's run: what is computed, what is kept, what is shared."""

import hashlib
import io
import json

import pandas as pd
import pytest
import torch

from homotopy import compose, config
from homotopy.errors import ResultError
from homotopy.identity import digest
from homotopy.results import folder
from homotopy.results.files import read_tensors, write_tensors
from homotopy.training import device, runner, sources


def run(config):
    return folder.RunFolder(runner.run(config))


def test_seed_7_alone_equals_seed_7_in_company(tiny):
    alone = run(tiny("seeds=[7]")).runs()
    elsewhere = {"root": str(tiny().results / "elsewhere")}
    together = run(tiny("seeds=[2,7,9]", results=elsewhere)).runs()
    pd.testing.assert_frame_equal(alone, together[together["seed"] == 7].reset_index(drop=True), check_exact=True)


def test_more_seeds_are_added_and_finished_ones_are_not_computed_again(tiny, monkeypatch):
    folder = run(tiny("seeds=2"))
    before = folder.runs()
    trained = []
    original = runner.train_group
    monkeypatch.setattr(
        runner, "train_group", lambda c, seeds, *rest: trained.append(list(seeds)) or original(c, seeds, *rest)
    )
    after = run(tiny("seeds=4")).runs()
    assert trained == [[2, 3]]
    pd.testing.assert_frame_equal(before, after[after["seed"] < 2].reset_index(drop=True), check_exact=True)
    assert sorted(after["seed"].unique()) == [0, 1, 2, 3]
    run(tiny("seeds=4"))
    assert trained == [[2, 3]]


def test_the_files_tell_what_was_done(tiny):
    config = tiny("seeds=2", "log_every=2")
    folder = run(config)
    runs, medians = folder.runs(), folder.medians()
    assert list(runs.columns)[:4] == ["seed", "epoch", "lam", "phase"]
    assert {"train_loss", "target_loss", "test_loss"} <= set(runs.columns)
    assert sorted(runs["epoch"].unique()) == [1, 2, 4, 6, 8, 10, 11]
    assert list(runs.query("seed == 0 and epoch in [1, 10, 11]")["lam"]) == pytest.approx([0.1, 1, 1])
    assert list(runs.query("seed == 0")["phase"])[-2:] == ["step", "final"]
    last = runs.query("epoch == 11")["test_loss"].median()
    row = medians.query("epoch == 11 and metric == 'test_loss'").iloc[0]
    assert (row["n"], row["median"]) == (2, pytest.approx(last, rel=1e-5))
    metadata = json.loads((folder.path / "metadata.json").read_text())
    assert metadata["seeds"] == [0, 1] and metadata["records"][0]["versions"]["torch"] == torch.__version__


def test_objective_and_target_loss_agree_on_the_target_only(tiny):
    runs = run(tiny("seeds=1")).runs()
    at_target = runs["lam"] == 1
    assert (runs["train_loss"] == runs["target_loss"])[at_target].all()
    assert (runs["train_loss"] != runs["target_loss"])[~at_target].all()


def test_a_diverged_seed_is_recorded_counted_and_ranks_worst(tiny):
    folder = run(tiny("seeds=2", "optimizer=sgd", "optimizer.lr=1e4", "method=random"))
    runs = folder.runs()
    assert set(json.loads((folder.path / "metadata.json").read_text())["diverged_at"]) == {"0", "1"}
    assert runs.query("epoch == 11")["target_loss"].tolist() == [float("inf")] * 2
    assert folder.medians()["n"].eq(2).all()
    assert folder.medians().query("epoch == 11")["median"].eq(float("inf")).all()


@pytest.mark.parametrize("method", ["random", "homotopy"])
def test_who_watches_a_run_sees_every_epoch_and_changes_none(tiny, method):
    settings = ["seeds=[2,7]", f"method={method}", "log_every=1"]
    watched = tiny(*settings, results={"root": str(tiny().results / "watched")})
    metrics = watched.task.load([2, 7], torch.device("cpu"), torch.float32).metrics
    seen = []
    runner.run(watched, lambda epoch, lam, ensemble: seen.append((epoch, lam, metrics(ensemble)["test_loss"])))
    rows = folder.RunFolder(watched.folder).runs()
    pd.testing.assert_frame_equal(rows, run(tiny(*settings)).runs(), check_exact=True)
    assert [seen[0][:2], len(seen)] == [(0, 0.0), watched.epochs + 1]
    for (epoch, lam, loss), (recorded, at) in zip(seen[1:], rows.groupby("epoch"), strict=True):
        assert epoch == recorded and at["lam"].eq(lam).all()
        assert loss.tolist() == pytest.approx(at["test_loss"].tolist(), rel=1e-5)


def test_identity_ignores_what_cannot_change_the_numbers(tiny):
    same = ["seeds=50", "runtime.device=cpu", "runtime.threads=2", "runtime.seeds_at_once=3", "data.root=/elsewhere"]
    assert tiny().folder == tiny(*same).folder
    for other in ("task.omega=74", "schedule.gamma=5", "budget.k=7", "optimizer.moments=reset", "budget.source=9"):
        assert digest(tiny(other).identity()) != digest(tiny().identity()), other


def test_identity_of_a_baseline_ignores_what_only_the_homotopy_uses(tiny):
    random = ["method=random"]
    assert (
        tiny(*random).folder
        == tiny(*random, "budget.source=9", "optimizer.moments=reset", "task.source_omega=2").folder
    )
    assert (
        tiny(*random, "budget.k=2", "schedule.gamma=10").folder
        == tiny(*random, "budget.k=4", "schedule.gamma=5").folder
    )


def test_warm_start_and_homotopy_share_the_source_solution(tiny, monkeypatch):
    run(tiny("method=warmstart"))
    monkeypatch.setattr(sources, "solve_source", lambda *a: pytest.fail("the source solution was computed again"))
    run(tiny("method=homotopy"))


def test_source_solutions_that_another_process_has_just_found_are_not_trained_again(tiny, monkeypatch):
    run(tiny("method=warmstart"))
    kept = sources.Sources._kept
    late = iter([None])  # what this process saw of seed 0 before the other had written it
    monkeypatch.setattr(sources.Sources, "_kept", lambda *given: next(late, kept(*given)))
    monkeypatch.setattr(sources, "solve_source", lambda *a: pytest.fail("the source solution was computed again"))
    run(tiny("method=homotopy"))


def test_seeds_of_other_data_that_another_process_has_added_meanwhile_are_not_mixed(tiny, monkeypatch):
    config, checked = tiny("method=random"), []

    def changed(folder, *given):
        checked.append(given)
        if len(checked) > 1:
            raise ResultError("other files")

    monkeypatch.setattr(runner.RunFolder, "check_data", changed)
    with pytest.raises(ResultError):
        run(config)
    assert runner.RunFolder(config.folder).finished() == set()


def test_the_metadata_tell_where_each_source_solution_comes_from(tiny, monkeypatch):
    made_by = {"commit": "first", "dirty": True, "command": "one"}
    monkeypatch.setattr(sources, "provenance", lambda device: made_by)
    run(tiny("method=warmstart", "seeds=2"))
    monkeypatch.setattr(sources, "provenance", lambda device: made_by | {"commit": "second"})
    (of_homotopy,) = run(tiny("seeds=[1,2,0]")).metadata()["records"]
    assert [(o["seeds"], o["commit"], o["dirty"]) for o in of_homotopy["source"]] == [
        ([1, 0], "first", True),
        ([2], "second", True),
    ]
    assert {o["solver"] for o in of_homotopy["source"]} == {of_homotopy["solver"]}
    (of_random,) = run(tiny("method=random")).metadata()["records"]
    assert "source" not in of_random


def test_a_run_that_goes_on_from_its_checkpoint_still_knows_its_source(tiny, monkeypatch):
    def stop(self, number, objective):
        if number == 2:
            raise KeyboardInterrupt

    config = tiny("method=warmstart", "runtime.checkpoint_minutes=0")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runner.History, "watch", stop)
        run(config)
    monkeypatch.setattr(runner, "Sources", lambda *_: pytest.fail("it was asked for its source solution again"))
    (record,) = run(config).metadata()["records"]
    (origin,) = record["source"]
    assert origin["seeds"] == record["seeds"] and origin["commit"] == record["commit"]


def test_a_source_solution_that_does_not_know_its_origin_is_found_again(tiny):
    run(tiny("method=warmstart", "seeds=1"))
    (path,) = (tiny().results / ".cache").glob("*/seed-0.pt")
    buffer = io.BytesIO()
    torch.save({"theta": torch.zeros(3)}, buffer)  # as former versions of the program wrote it
    path.write_bytes(buffer.getvalue() + hashlib.sha256(buffer.getvalue()).hexdigest().encode())
    (record,) = run(tiny("method=homotopy", "seeds=1")).metadata()["records"]
    assert [origin["seeds"] for origin in record["source"]] == [[0]]


def test_a_source_solution_of_another_network_is_not_trained_on(tiny):
    run(tiny("method=warmstart", "seeds=1"))
    (path,) = (tiny().results / ".cache").glob("*/seed-0.pt")
    origin, tensors = read_tensors(path)
    write_tensors(path, origin, {"theta": tensors["theta"][:-1]})  # as if the task had had other functions then
    with pytest.raises(ResultError, match="parameters"):
        run(tiny("method=homotopy", "seeds=1"))


@pytest.mark.parametrize(("threads", "width"), [(1, 16), (2, 32), (3, 48)])
def test_a_group_has_as_many_seeds_for_every_thread(tiny, monkeypatch, threads, width):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert device.group_width(tiny("seeds=100"), torch.device("cpu")) == width
    assert device.group_width(tiny("seeds=100", "runtime.seeds_at_once=4"), torch.device("cpu")) == 4
    assert device.group_width(tiny("seeds=100"), torch.device("cuda")) == 100
    (raw,) = compose.jobs(["task=mnist_fashion", "model=vgg_small", "seeds=100"])
    images = config.from_dict(raw)
    assert device.group_width(images, torch.device("cpu")) == width / 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_trains_what_a_cpu_trains(tiny):
    there = {"root": str(tiny().results / "gpu")}
    options = ["precision=float64", "seeds=2"]
    expected, found = run(tiny(*options)).runs(), run(tiny(*options, "runtime.device=cuda", results=there)).runs()
    pd.testing.assert_frame_equal(found, expected, rtol=1e-6, atol=1e-9)
