"""Sweeps that fail in part, and what is said of them."""

import json
import re

import pytest
import torch
import yaml

from homotopy import compose, config, failures, provenance, status
from homotopy.errors import DataError
from homotopy.locks import hold
from tests.machine import command

TINY = ["profile=smoke", "task.samples=60", "batch_size=16", "model.width=8", "model.depth=2"]


def of_a_newer_version(folder):
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump({"schema": 99}))


def test_a_failing_job_does_not_stop_a_sweep_and_can_be_repeated(tmp_path):
    sweep = ["experiment=fig1", "task.omega=74", "method=random,warmstart", *TINY, f"results.root={tmp_path}"]
    jobs = compose.jobs(sweep)
    first, second = (config.from_dict(raw).folder for raw in jobs)
    of_a_newer_version(first)
    done = command("scripts/train.py", *sweep)
    assert (done.code, done.out.split()) == (1, [str(second)])
    assert "Traceback" not in done.err
    title, head, row = done.err.splitlines()[-3:]
    assert title == "1 of 2 jobs failed:"
    assert re.split("  +", head) == ["job", "why", "repeat it with"]
    job, why, repeat = re.split("  +", row)
    assert job == f"{first.parent.name}-{first.name}" and "newer version" in why

    states = [status.state(raw) for raw in jobs]
    assert [(state.done, state.failed) for state in states] == [(0, 2), (2, 0)]
    assert row in status.overview({"fig1": states}).splitlines()

    (first / "config.yaml").unlink()
    again = command(*repeat.split()[1:])
    assert (again.code, again.out.split()) == (0, [str(first)])
    assert [failures.of(raw) for raw in jobs] == [[], []]
    third = command("scripts/train.py", *sweep)
    assert (third.code, third.out.split()) == (0, [str(first), str(second)])
    assert "error" not in third.err and "failed" not in third.err


def test_several_experiments_run_one_after_the_other_each_with_its_own_sweep(tmp_path):
    line = [*TINY, f"results.root={tmp_path}", "seeds=1", "budget.final=0"]
    done = command("scripts/train.py", "experiment=fig5,fig8,fig2b", "method=random,homotopy", *line)
    assert done.code == 0, done.err
    expected = [raw for name in ("fig8", "fig2b") for raw in compose.jobs([f"experiment={name}", *line])]
    folders = {str(config.from_dict(raw).folder) for raw in expected if raw["method"]["name"] != "warmstart"}
    assert len(folders) == 6 and folders | {str(tmp_path / "smoke/illustrations/fig5.csv.gz")} == set(done.out.split())


def test_the_script_shows_what_an_experiment_lacks(tmp_path):
    shown = command("scripts/status.py", "profile=smoke", f"results.root={tmp_path}", "experiment=fig1")
    assert shown.code == 0
    rows = [line.split()[:6] for line in shown.out.splitlines()]
    assert rows[0] == ["experiment", "runs", "done", "running", "failed", "missing"]
    assert ["fig1", "12", "0", "0", "0", "12"] in rows


def test_a_single_failing_command_ends_in_one_line(tmp_path):
    single = ["scripts/train.py", *TINY, f"results.root={tmp_path}"]
    of_a_newer_version(config.from_dict(compose.jobs(single[1:])[0]).folder)
    done = command(*single)
    assert done.code == 2
    assert len(done.err.splitlines()) == 1 and "newer version" in done.err


def test_seeds_that_all_diverge_are_exit_1_with_a_hint_each_time(tmp_path):
    diverging = ["scripts/train.py", *TINY, f"results.root={tmp_path}", "optimizer=sgd", "optimizer.lr=1e4"]
    for _ in range(2):
        done = command(*diverging)
        assert done.code == 1
        assert "all 2 seeds diverged; try a smaller step size (optimizer.lr=1000)" in done.err.splitlines()[-1]


def test_an_error_nobody_foresaw_keeps_its_traceback(tmp_path):
    (raw,) = compose.jobs([*TINY, f"results.root={tmp_path}"])
    try:
        raise ZeroDivisionError("two\nlines")
    except ZeroDivisionError as error:
        path = failures.record(raw, error, "a command")
    assert failures.of(raw)[0].why == "ZeroDivisionError: two lines"
    assert "test_status.py" in "".join(json.loads(path.read_text())["traceback"])
    failures.record(raw, DataError("no data"), "a command")
    assert failures.of(raw)[0].traceback == []


def test_the_parts_of_a_job_fail_and_succeed_with_it(tmp_path):
    (raw,) = compose.jobs([*TINY, f"results.root={tmp_path}", "seeds_per_job=1"])
    for part in (0, 1, 11):
        failures.record(raw | {"part": part}, DataError("no data"), "a command")
    assert len(failures.of(raw)) == 3
    failures.clear(raw | {"part": 1})
    assert len(failures.of(raw)) == 2
    failures.clear(raw)
    assert failures.of(raw) == []


def test_a_run_is_done_running_or_missing(tiny, tmp_path):
    (raw,) = compose.jobs([*TINY, f"results.root={tmp_path}", "seeds=4"])
    command("scripts/train.py", *TINY, f"results.root={tmp_path}", "seeds=[2]")
    folder = config.from_dict(raw).folder
    with hold(folder, lambda others: [0, 9]):
        found = status.state(raw)
        assert (found.done, found.running, found.missing, found.failed) == (1, 1, 2, 0)
        shown = status.overview({"one": [found], "same": [found]})
    assert f"{folder.parent.name}-{folder.name}, 2 seeds, process" in shown
    rows = [line.split() for line in shown.splitlines()[1:4]]
    assert [row[:6] for row in rows] == [[name, "4", "1", "1", "0", "2"] for name in ("one", "same", "all")]
    assert status.state(raw).running == 0


def test_a_damaged_result_is_missing_and_told(tiny):
    (raw,) = compose.jobs([*TINY, f"results.root={tiny().results}"])
    command("scripts/train.py", *TINY, f"results.root={tiny().results}")
    (config.from_dict(raw).folder / "runs.csv.gz").write_bytes(b"")
    found = status.state(raw)
    assert (found.done, found.missing) == (0, 2)
    assert "truncated or altered" in status.overview({"one": [found]})


def test_the_time_left_follows_from_the_time_taken(tiny):
    def state(done, seconds=None, **changes):
        options = ["seeds=10", "threads=1", "schedule.gamma=2", "budget.k=5", "budget.final=0"]
        each = tiny(*options, *changes.pop("more", ()))
        records = ({"seeds": list(range(done)), "seconds": seconds, **changes},) if seconds else ()
        return status.State(each, frozenset(range(done)), frozenset(), (), (), records)

    timed = state(4, 8.0)  # 10 epochs of 48 samples in 2 seconds per run
    rate = status.rates([timed])
    assert status.seconds_left([timed], rate) == (pytest.approx(12), True)
    assert status.seconds_left([state(10)], rate) == (0, True)
    assert status.seconds_left([state(0, more=["budget.k=10"])], rate) == (pytest.approx(40), True)
    assert status.seconds_left([state(0, more=["task.samples=120"])], rate) == (pytest.approx(40), True)
    assert status.seconds_left([state(0, more=["model.width=9"])], rate) == (pytest.approx(20), True)  # like its task
    assert status.seconds_left([timed], {}) == (0, False)
    assert status.rates([state(4, 4.0, threads=2)]) == rate  # two at a time
    assert status.rates([state(1, 2.0, threads=2)]) == rate  # one core idle
    assert status.rates([state(4, 8.0, threads=64, device="cuda")]) == rate
    here, solver = provenance.hardware(torch.device("cpu")), {"solver": "FusedEnsemble"}
    elsewhere, before = state(4, 80.0, hardware="another", **solver), state(4, 16.0, hardware=here)
    now = state(4, 8.0, hardware=here, **solver)
    assert status.rates([elsewhere, before, now]) == rate  # on this hardware, by the solver of now
    assert status.rates([elsewhere, before]) == {kind: 2 * each for kind, each in rate.items()}
    assert status.rates([elsewhere, timed]) == {kind: 10 * each for kind, each in rate.items()}
    assert status.seconds_left([state(0, more=["threads=2"])], rate) == (pytest.approx(10), True)
    assert status.seconds_left([state(9, more=["threads=2"])], rate) == (pytest.approx(2), True)


def test_what_an_experiment_asks_for_twice_counts_once(tiny):
    state = status.State(tiny("seeds=3"), frozenset(), frozenset(), (), (), ())
    assert status.overview({"one": [state, state]}).splitlines()[1].split()[:2] == ["one", "3"]
