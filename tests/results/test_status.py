"""Sweeps that fail in part, and what is said of them."""

import json
import re
import subprocess
import sys

import pytest
import torch
import yaml

from homotopy import cli, compose, config
from homotopy.errors import DataError, ResultError
from homotopy.job import parse
from homotopy.results import copies, failures, library, outline, provenance, status
from homotopy.results.locks import hold
from tests.machine import ROOT, command
from tests.made import save

TINY = ["profile=smoke", "task.samples=60", "batch_size=16", "model.width=8", "model.depth=2"]


def parsed(*overrides):
    return [parse(composed) for composed in compose.jobs(overrides)]


def state(job):
    return status.look_up(outline.of(job.config))


def of_a_newer_version(folder):
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump({"schema": 99}))


def test_a_failing_job_does_not_stop_a_sweep_and_can_be_repeated(tmp_path):
    sweep = ["experiment=fig1", "task.omega=74", "method=random,warmstart", *TINY, f"results.root={tmp_path}"]
    jobs = parsed(*sweep)
    first, second = (job.config.folder for job in jobs)
    of_a_newer_version(first)
    done = command("scripts/train.py", *sweep)
    assert (done.code, done.out.split()) == (1, [str(second)])
    assert "Traceback" not in done.err
    title, head, row = done.err.splitlines()[-3:]
    assert title == "1 of 2 jobs failed:"
    assert re.split("  +", head) == ["job", "why", "repeat it with"]
    job, why, repeat = re.split("  +", row)
    assert job == f"{first.parent.name}-{first.name}" and "newer version" in why

    states = [state(each) for each in jobs]
    assert [(state.done, state.failed) for state in states] == [(0, 2), (2, 0)]
    assert row in status.overview({"fig1": states}).splitlines()

    (first / "config.yaml").unlink()
    again = command(*repeat.split()[1:])
    assert (again.code, again.out.split()) == (0, [str(first)])
    assert [failures.of(each) for each in jobs] == [[], []]
    third = command("scripts/train.py", *sweep)
    assert (third.code, third.out.split()) == (0, [str(first), str(second)])
    assert "error" not in third.err and "failed" not in third.err


def test_several_experiments_run_one_after_the_other_each_with_its_own_sweep(tmp_path):
    line = [*TINY, f"results.root={tmp_path}", "seeds=1", "budget.final=0"]
    done = command("scripts/train.py", "experiment=fig5,fig8,fig2b", "method=random,homotopy", *line)
    assert done.code == 0, done.err
    expected = [raw for name in ("fig8", "fig2b") for raw in compose.jobs([f"experiment={name}", *line])]
    folders = {str(config.from_dict(raw).folder) for raw in expected if raw["method"]["name"] != "warmstart"}
    (made,) = (tmp_path / "smoke/illustrations").rglob("fig5.csv.gz")
    assert len(folders) == 6 and folders | {str(made)} == set(done.out.split())


def test_an_experiment_of_one_job_that_fails_stops_no_other(tmp_path):
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke/illustrations").write_text("a file where a folder has to be")
    line = [*TINY, f"results.root={tmp_path}", "seeds=1", "budget.final=0", "method=random"]
    done = command("scripts/train.py", "experiment=fig5,fig2b", *line)
    (trained,) = compose.jobs(["experiment=fig2b", *line])
    assert done.code == 1 and "1 of 2 jobs failed" in done.err
    assert done.out.split() == [str(config.from_dict(trained).folder)]


def test_the_script_shows_what_an_experiment_lacks(tmp_path):
    shown = command("scripts/status.py", "profile=smoke", f"results.root={tmp_path}", "experiment=fig1")
    assert shown.code == 0
    rows = [line.split()[:6] for line in shown.out.splitlines()]
    assert rows[0] == ["experiment", "runs", "done", "running", "failed", "missing"]
    assert ["fig1", "12", "0", "0", "0", "12"] in rows


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return the file in which outlines are kept, of this test alone."""
    monkeypatch.setattr(outline, "_file", lambda profile: tmp_path / "cache" / f"{profile}.json")
    return tmp_path / "cache" / "smoke.json"


def fresh(tmp_path):
    return [outline.of(config.from_dict(raw)) for raw in compose.jobs(FIG1 + [f"results.root={tmp_path}"])]


FIG1 = ["experiment=fig1", "profile=smoke"]


def test_outlines_are_those_of_the_configurations_and_are_kept(kept, tmp_path, monkeypatch):
    expected = {"fig1": fresh(tmp_path), "fig4": []}
    assert outline.experiments(["fig1", "fig4"], tmp_path, "smoke") == expected
    monkeypatch.setattr(outline, "_composed", None)
    assert outline.experiments(["fig4", "fig1"], tmp_path, "smoke") == expected
    (elsewhere, *_) = outline.experiments(["fig1"], tmp_path / "b", "smoke")["fig1"]
    assert elsewhere.folder.is_relative_to(tmp_path / "b")


@pytest.mark.parametrize("damage", ["device", "empty", "half", "other"])
def test_outlines_of_other_files_or_damaged_ones_are_made_again(kept, tmp_path, monkeypatch, damage):
    outline.experiments(["fig1"], tmp_path, "smoke")
    match damage:
        case "device":
            monkeypatch.setenv("HOMOTOPY_DEVICE", "cuda:3")  # which conf/ reads
        case "empty":
            kept.write_bytes(b"")
        case "half":
            kept.write_bytes(kept.read_bytes()[:100])
        case "other":
            kept.write_text("[]")
    found = outline.experiments(["fig1"], tmp_path, "smoke")["fig1"]
    assert found == fresh(tmp_path) and found[0].device == ("cuda:3" if damage == "device" else "cpu")


def test_outlines_that_cannot_be_kept_are_made_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(outline, "_file", lambda profile: tmp_path / "file" / "smoke.json")
    for _ in range(2):
        assert outline.experiments(["fig1"], tmp_path, "smoke")["fig1"] == fresh(tmp_path)


def test_outlines_are_of_the_image_files_that_have_results(kept, tmp_path):
    def tasks():
        return {each.folder.parent.name for each in outline.experiments(["fig3b"], tmp_path, "paper")["fig3b"]}

    asked = library.jobs("fig3b", library.Place(tmp_path, "paper"))
    assert tasks() == {"mnist-cifar10"}
    save(copies.unofficial(asked[0]).config, lambda config, seed: 1.0)
    assert tasks() == {"mnist-cifar10-unofficial"}
    save(asked[0].config, lambda config, seed: 1.0)
    assert tasks() == {"mnist-cifar10"}


def test_status_needs_no_pytorch(tmp_path):
    run = "import runpy, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, 'scripts'); "
    code = f"{run}runpy.run_path(sys.argv[0], run_name='__main__'); "
    line = [sys.executable, "-c", code + "sys.exit('torch' in sys.modules or 'hydra' in sys.modules)"]
    asked = ["scripts/status.py", "fig1", "profile=smoke", f"results.root={tmp_path}"]
    assert command(*asked).code == 0  # composes
    assert subprocess.run([*line, *asked], cwd=ROOT, capture_output=True).returncode == 0


def test_results_of_no_experiment_are_counted_apart(kept, tmp_path):
    for seeds in ("experiment=fig5", "seeds=3"):
        command("scripts/train.py", seeds, *TINY, f"results.root={tmp_path}")
    found = status.experiments(["fig1"], tmp_path, "smoke")
    (state,) = status.others(found, tmp_path / "smoke")
    assert (state.done, state.missing) == (3, 0)
    *_, everything, besides = status.overview(found, [state]).splitlines()
    assert everything.split() == ["all", "12", "0", "0", "0", "12", "0", "unknown"]
    assert besides.split()[3:] == ["3", "3", "0", "0", "0", "0", "-"]


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
    (job,) = parsed(*TINY, f"results.root={tmp_path}")
    try:
        raise ZeroDivisionError("two\nlines")
    except ZeroDivisionError as error:
        path = failures.record(job, error, "a command")
    assert failures.of(job)[0].why == "ZeroDivisionError: two lines"
    assert "test_status.py" in "".join(json.loads(path.read_text())["traceback"])
    failures.record(job, DataError("no data"), "a command")
    assert failures.of(job)[0].traceback == []


def test_the_parts_of_a_job_fail_and_succeed_with_it(tmp_path):
    line = [*TINY, f"results.root={tmp_path}", "runtime.seeds_per_job=1"]
    (job,) = parsed(*line)
    (of_part,) = parsed(*line, "runtime.part=1")
    for part in (0, 1, 11):
        failures.record(*parsed(*line, f"runtime.part={part}"), DataError("no data"), "a command")
    assert len(failures.of(job)) == 3
    failures.clear(of_part)
    assert len(failures.of(job)) == 2
    failures.clear(job)
    assert failures.of(job) == []


def test_a_failure_of_runs_that_are_all_done_is_past(tmp_path):
    """Such as that of a whole job whose parts have trained since."""
    (job,) = parsed(*TINY, f"results.root={tmp_path}")
    failures.record(job, DataError("not enough memory"), "a command")
    save(job.config, lambda of, seed: 0.1, len(job.config.seeds))
    shown = status.overview({"own": [state(job)]}, failed=failures.kept(job.folder))
    assert "not enough memory" not in shown


def test_a_part_beyond_all_seeds_has_not_diverged(tmp_path):
    (job,) = parsed(*TINY, f"results.root={tmp_path}", "runtime.seeds_per_job=1", "runtime.part=5")
    assert job.config.seeds == () and state(job).failures == ()


def test_failures_of_a_folder_named_like_a_pattern_are_found_and_cleared(tmp_path):
    images = [f"task.{of}='{tmp_path}/set[{i}]'" for i, of in enumerate(("source", "target"))]
    line = ["profile=smoke", "task=image_folder", *images, f"results.root={tmp_path}", "runtime.seeds_per_job=1"]
    (job,) = parsed(*line)
    assert "[1]" in job.name
    failures.record(*parsed(*line, "runtime.part=1"), DataError("no data"), "a command")
    assert len(failures.of(job)) == 1
    failures.clear(job)
    assert failures.of(job) == []


def test_failures_in_the_committed_results_are_not_committed():
    asked = subprocess.run(["git", "check-ignore", "results/paper/failures/job.json"], cwd=ROOT, capture_output=True)
    if asked.returncode > 1:
        pytest.skip("not in a git repository")
    assert asked.returncode == 0


def test_a_run_is_done_running_or_missing(tiny, tmp_path):
    (job,) = parsed(*TINY, f"results.root={tmp_path}", "seeds=4")
    command("scripts/train.py", *TINY, f"results.root={tmp_path}", "seeds=[2]")
    folder = job.config.folder
    with hold(folder, lambda others: [0, 9]):
        found = state(job)
        assert (found.done, found.running, found.missing, found.failed) == (1, 1, 2, 0)
        shown = status.overview({"one": [found], "same": [found]})
    assert f"{folder.parent.name}-{folder.name}, 2 seeds, process" in shown
    rows = [line.split() for line in shown.splitlines()[1:4]]
    assert [row[:6] for row in rows] == [[name, "4", "1", "1", "0", "2"] for name in ("one", "same", "all")]
    assert state(job).running == 0


def test_a_damaged_result_is_missing_and_told(tiny):
    (job,) = parsed(*TINY, f"results.root={tiny().results}")
    command("scripts/train.py", *TINY, f"results.root={tiny().results}")
    (job.config.folder / "runs.csv.gz").write_bytes(b"")
    found = state(job)
    assert (found.done, found.missing) == (0, 2)
    assert "truncated or altered" in status.overview({"one": [found]})


@pytest.mark.parametrize("damaged", ["[]", "null", '{"seeds": null}', "{"])
def test_metadata_that_are_none_are_told(tiny, damaged):
    (job,) = parsed(*TINY, f"results.root={tiny().results}")
    command("scripts/train.py", *TINY, f"results.root={tiny().results}")
    (job.config.folder / "metadata.json").write_text(damaged)
    found = state(job)
    assert (found.done, found.missing) == (0, 2)
    assert "metadata.json is damaged" in status.overview({"one": [found]})


def test_the_time_left_follows_from_the_time_taken(tiny):
    def state(done, seconds=None, **changes):
        options = ["seeds=10", "runtime.threads=1", "schedule.gamma=2", "budget.k=5", "budget.final=0"]
        each = tiny(*options, *changes.pop("more", ()))
        records = ({"seeds": list(range(done)), "seconds": seconds, **changes},) if seconds else ()
        return status.State(outline.of(each), frozenset(range(done)), frozenset(), (), (), records)

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
    assert status.seconds_left([state(0, more=["runtime.threads=2"])], rate) == (pytest.approx(10), True)
    assert status.seconds_left([state(9, more=["runtime.threads=2"])], rate) == (pytest.approx(2), True)


def test_what_an_experiment_asks_for_twice_counts_once(tiny):
    state = status.State(outline.of(tiny("seeds=3")), frozenset(), frozenset(), (), (), ())
    assert status.overview({"one": [state, state]}).splitlines()[1].split()[:2] == ["one", "3"]


def test_failures_of_jobs_that_save_no_runs_and_runs_without_any_result_are_shown(tmp_path):
    (tmp_path / "smoke" / "mine" / "random-1a2b3c4d").mkdir(parents=True)
    (tmp_path / "smoke" / "mine" / "random-1a2b3c4d" / "config.yaml").write_text("schema: 1\n")
    (job,) = parsed("experiment=fig4", "profile=smoke", f"results.root={tmp_path}")
    failures.record(job, ResultError("no room"), "python scripts/train.py experiment=fig4")
    folder = tmp_path / "smoke"
    shown = status.overview({}, status.others({}, folder), failures.kept(folder))
    assert "of no experiment" in shown and "no room" in shown and shown.count(job.name) == 1


def test_a_launcher_that_fails_ends_with_status_1_whatever_its_jobs_save(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [])

    def broken():
        raise RuntimeError("no srun here")

    with pytest.raises(SystemExit) as end:
        cli.start(broken, "scripts/train.py", ["experiment=fig4", "profile=smoke", f"results.root={tmp_path}"])
    assert end.value.code == 1
