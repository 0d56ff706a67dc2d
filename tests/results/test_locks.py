"""Who trains what: nobody twice, and nobody waits for the dead."""

import os
import shutil
import signal
import time

import pytest

from homotopy.results.folder import RunFolder
from homotopy.results.locks import hold, holders, lock
from homotopy.training import runner
from tests.machine import in_child, status


def first_free(*wanted):
    return lambda others: [s for s in wanted if all(s not in other.seeds for other in others)]


def wait_until(condition):
    while not condition():
        time.sleep(0.01)


@pytest.fixture
def elsewhere(tmp_path):
    """Return a function that lets another process hold seeds until it is killed."""
    children = []

    def start(*seeds):
        def work():
            with hold(tmp_path, lambda others: seeds):
                time.sleep(600)

        children.append(in_child(work))
        wait_until(lambda: children[-1] in [holder.process for holder in holders(tmp_path)])
        return children[-1]

    yield start
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_held_seeds_are_left_to_their_holder_who_has_a_name(tmp_path, elsewhere):
    child = elsewhere(1, 2)
    with hold(tmp_path, first_free(0, 1, 2, 3)) as (seeds, others):
        assert seeds == [0, 3]
        assert [(other.process, other.seeds) for other in others] == [(child, (1, 2))]
        assert str(others[0]).startswith(f"process {child} on {os.uname().nodename} since 20")
        assert sorted(holder.seeds for holder in holders(tmp_path)) == [(0, 3), (1, 2)]
    assert [holder.seeds for holder in holders(tmp_path)] == [(1, 2)]


def test_the_hold_of_a_dead_process_is_taken_over(tmp_path):
    def die():
        with hold(tmp_path, lambda others: [0, 1]):
            os.kill(os.getpid(), signal.SIGKILL)

    assert status(in_child(die)) == -signal.SIGKILL
    assert list((tmp_path / ".holds").iterdir())
    assert holders(tmp_path) == []
    with hold(tmp_path, first_free(0, 1)) as (seeds, others):
        assert (seeds, others) == ([0, 1], [])
    assert not list((tmp_path / ".holds").iterdir())


def test_those_who_only_look_do_not_take_each_other_for_the_holder(tmp_path, monkeypatch):
    def die():
        with hold(tmp_path, lambda others: [0]):
            os.kill(os.getpid(), signal.SIGKILL)

    def close_after_another_look(file):
        monkeypatch.undo()
        seen.append(holders(tmp_path))
        os.close(file)

    assert status(in_child(die)) == -signal.SIGKILL
    seen = []
    monkeypatch.setattr(os, "close", close_after_another_look)  # the first look has not ended
    assert holders(tmp_path) == [] and seen == [[]]


def test_a_hold_ends_with_an_exception(tmp_path):
    with pytest.raises(ZeroDivisionError), hold(tmp_path, lambda others: [0]):
        raise ZeroDivisionError
    assert holders(tmp_path) == []


def test_a_hold_ends_in_a_folder_that_someone_has_removed(tmp_path):
    with hold(tmp_path / "results", lambda others: [0]):
        shutil.rmtree(tmp_path / "results")
    assert holders(tmp_path / "results") == []


def test_a_locked_folder_is_waited_for_and_its_holder_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("homotopy.flock.PATIENCE", 0.1)

    def work():
        with lock(tmp_path):
            (tmp_path / "locked").touch()
            time.sleep(0.5)

    child = in_child(work)
    wait_until((tmp_path / "locked").exists)
    with lock(tmp_path):
        pass
    assert f"held by process {child} on" in capsys.readouterr().err
    assert status(child) == 0


def test_what_another_process_trains_is_named_and_left_to_it(tiny, capsys):
    config = tiny("seeds=4", "runtime.seeds_at_once=2", "method=random")

    def work():
        with hold(config.folder, lambda others: [0, 1]):
            time.sleep(600)

    child = in_child(work)
    wait_until(lambda: holders(config.folder))
    runner.run(config)
    assert RunFolder(config.folder).finished() == {2, 3}
    assert f"2 seeds are being trained by process {child} on" in capsys.readouterr().err
    os.kill(child, signal.SIGKILL)
    status(child)
    runner.run(config)
    assert RunFolder(config.folder).finished() == {0, 1, 2, 3}


def test_identical_commands_at_once_share_the_work_and_end_with_the_same_bytes(tiny):
    overrides = ["seeds=7", "runtime.seeds_at_once=2", "budget.k=2"]
    alone = tiny(*overrides, results={"root": str(tiny().results / "alone")})
    runner.run(alone)
    config = tiny(*overrides)
    children = [in_child(lambda: runner.run(config)) for _ in range(3)]
    assert [status(child) for child in children] == [0, 0, 0]
    for name in ("config.yaml", "runs.csv.gz", "median.csv"):
        assert (config.folder / name).read_bytes() == (alone.folder / name).read_bytes()
    trained = [seed for record in RunFolder(config.folder).metadata()["records"] for seed in record["seeds"]]
    assert sorted(trained) == list(range(7))  # none twice
