"""Whatever stops a run, and whenever: the same command again ends with the same files."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tqdm import tqdm

from homotopy.errors import ResultError
from homotopy.progress import Progress
from homotopy.training import checkpoints, runner
from homotopy.training.interruption import Interrupted, Interruption
from tests.machine import in_child, status

ROOT = Path(__file__).resolve().parents[2]
LONGER = ["seeds=[0,1,4]", "runtime.seeds_at_once=2", "budget.k=3", "budget.final=5", "runtime.checkpoint_minutes=0"]


def files(config):
    """Return the bytes of what a run leaves; metadata holds times."""
    names = sorted(path.name for path in config.folder.iterdir() if path.name not in (".lock", ".holds"))
    assert names == ["SHA256SUMS", "config.yaml", "median.csv", "metadata.json", "runs.csv.gz"]
    return {name: (config.folder / name).read_bytes() for name in ("config.yaml", "median.csv", "runs.csv.gz")}


def uninterrupted(tiny, *overrides):
    config = tiny(*overrides, results={"root": str(tiny().results / "whole")})
    began = time.monotonic()
    assert status(in_child(lambda: runner.run(config))) == 0
    return files(config), time.monotonic() - began


def killed(work, seconds):
    """Do the work, killed after some seconds if it takes so long; return whether it was."""
    child = in_child(work)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    code = status(child)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_killed_at_random_moments_a_run_ends_with_the_same_bytes(tiny):
    expected, seconds = uninterrupted(tiny, *LONGER)
    chance, kills = random.Random(0), 0
    for number in itertools.count():
        config = tiny(*LONGER, results={"root": str(tiny().results / str(number))})
        longest = 0.6 * seconds
        while killed(lambda c=config: runner.run(c), chance.uniform(0.01, longest)):
            kills += 1
            longest *= 1.1  # a machine that has become slower must not keep every start from its first checkpoint
        assert files(config) == expected
        if kills >= 12:
            break


def test_a_process_killed_while_it_draws_progress_stops_no_other():
    def killed_within():
        tqdm.get_lock().acquire()
        os.kill(os.getpid(), signal.SIGKILL)

    Progress("a run before", total=1)  # whose lock the children inherit
    assert status(in_child(killed_within)) == -signal.SIGKILL
    other = in_child(lambda: Progress("a run", total=1))
    deadline = time.monotonic() + 20
    while (ended := os.waitpid(other, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    if ended == (0, 0):
        os.kill(other, signal.SIGKILL)
        status(other)
    assert ended == (other, 0)


def kill_at(number):
    """Kill this process just before or after the rename of the file that it writes as the number-th."""
    count, replace = itertools.count(), os.replace

    def replace_or_die(*names):
        turn = next(count)
        if turn == number:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*names)

    os.replace = replace_or_die


def test_killed_before_any_file_is_renamed_a_run_ends_with_the_same_bytes(tiny):
    overrides = ["seeds=2", "method=random", "schedule.gamma=1", "budget.k=2", "budget.final=0"]
    expected, _ = uninterrupted(tiny, *overrides)
    for number in itertools.count():
        config = tiny(*overrides, "runtime.checkpoint_minutes=0", results={"root": str(tiny().results / str(number))})
        code = status(in_child(lambda n=number, c=config: (kill_at(n), runner.run(c))))
        assert status(in_child(lambda c=config: runner.run(c))) == 0
        assert files(config) == expected
        if code == 0:
            break
    assert number >= 7  # config, checkpoints, curves, medians, metadata, sums


def test_a_run_interrupted_by_a_signal_goes_on_where_it_stopped(tiny, monkeypatch):
    expected, _ = uninterrupted(tiny, *LONGER)
    config = tiny(*LONGER, "runtime.checkpoint_minutes=100")
    epochs = []
    follow = runner.follow

    def interrupted(*arguments, **options):
        for epoch in follow(*arguments, **options):
            epochs.append(epoch.number)
            if epoch.number in (3, 20):
                os.kill(os.getpid(), signal.SIGTERM)
            yield epoch

    monkeypatch.setattr(runner, "follow", interrupted)
    for _ in range(4):  # two groups, stopped twice each
        with pytest.raises(Interrupted) as caught:
            runner.run(config)
        assert caught.value.exit_code == 143
    runner.run(config)
    assert epochs == [*range(1, 36), *range(1, 36)]  # none twice
    assert files(config) == expected


@pytest.mark.parametrize("method", ["warmstart", "homotopy"])
def test_the_checkpoint_of_other_seeds_changes_nothing(tiny, monkeypatch, method):
    expected, _ = uninterrupted(tiny, f"method={method}", "seeds=[0,3,5]")
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(runner.History, "watch", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        runner.run(tiny(f"method={method}", "seeds=[0,2,5]"))  # as many, between the same two
    config = tiny(f"method={method}", "seeds=[0,3,5]")
    (left,) = config.folder.glob("checkpoint-*.pt")
    runner.run(config)
    assert left.exists()
    left.unlink()
    assert files(config) == expected


def test_a_finished_group_s_checkpoint_does_not_make_fewer_seeds_train_twice(tiny, monkeypatch):
    """Training ended, adding the results failed, on a full disk say, and then only two of the seeds are asked for."""
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(runner.RunFolder, "add", lambda *_: (_ for _ in ()).throw(OSError("the disk is full")))
        runner.run(tiny("method=random", "seeds=4"))
    trained = []
    train_group = runner.train_group
    monkeypatch.setattr(runner, "train_group", lambda *given: trained.append(list(given[1])) or train_group(*given))
    runner.run(tiny("method=random", "seeds=2"))
    runner.run(tiny("method=random", "seeds=4"))
    assert trained == [[0, 1], [0, 1, 2, 3]]  # the second only adds what the checkpoint holds


def test_sigusr1_asks_for_a_checkpoint_only(tiny):
    with Interruption() as stop:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert stop.requested == [signal.SIGUSR1]
        stop.answer()


def test_a_batch_system_s_handler_is_called_once_the_checkpoint_is_written():
    called = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: called.append(number))
    try:
        with Interruption() as stop:
            os.kill(os.getpid(), signal.SIGUSR2)
            assert called == []
            stop.answer()
            assert called == [signal.SIGUSR2]
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_of_several_signals_none_is_lost():
    called = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: called.append(number))
    try:
        with Interruption() as stop, pytest.raises(Interrupted) as caught:
            for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGUSR1):
                os.kill(os.getpid(), number)
            stop.answer()
        assert called == [signal.SIGUSR2] and caught.value.exit_code == 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_a_signal_after_the_last_epoch_stops_once_the_results_are_written(tiny, monkeypatch):
    add = runner.RunFolder.add
    config = tiny("method=random", "seeds=1")
    monkeypatch.setattr(runner.RunFolder, "add", lambda *given: (os.kill(os.getpid(), signal.SIGTERM), add(*given))[1])
    with pytest.raises(Interrupted):
        runner.run(config)
    assert runner.RunFolder(config.folder).finished() == {0}


def test_a_signal_during_the_last_look_for_seeds_stops_too(tiny, monkeypatch):
    config, look = tiny("method=random", "seeds=1"), runner.next_group

    def looking(*given):
        found = look(*given)
        if not found:
            os.kill(os.getpid(), signal.SIGTERM)
        return found

    monkeypatch.setattr(runner, "next_group", looking)
    with pytest.raises(Interrupted):
        runner.run(config)
    assert runner.RunFolder(config.folder).finished() == {0}


def test_a_disk_too_full_for_the_last_checkpoint_loses_no_results(tiny, monkeypatch, capsys):
    def full(path, *_):
        raise ResultError(f"cannot write {path}: No space left on device")

    expected, _ = uninterrupted(tiny, "method=random")
    monkeypatch.setattr(checkpoints, "write_tensors", full)
    config = tiny("method=random")
    runner.run(config)
    assert files(config) == expected
    assert "No space left" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_that_was_ignored_stays_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with Interruption() as stop:
            os.kill(os.getpid(), number)
            assert not stop.requested
            assert signal.getsignal(number) is signal.SIG_IGN
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_ctrl_c_leaves_a_checkpoint_one_line_and_exit_130(tmp_path):
    options = ["method=random", "seeds=1", "budget.k=50000", "model.width=8"]
    command = ["scripts/train.py", "profile=smoke", f"results.root={tmp_path}", *options]
    options = {"cwd": ROOT, "stderr": subprocess.PIPE, "text": True}
    # these tests may run in the background of a script, which ignores Ctrl-C, and so would the command
    heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen([sys.executable, *command], **options, **heeding) as process:
        wait_for(lambda: list(tmp_path.glob("smoke/*/*/.holds/*.lock")), process)
        process.send_signal(signal.SIGUSR1)
        wait_for(lambda: list(tmp_path.glob("smoke/*/*/checkpoint-*.pt")), process)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in told and told.splitlines()[-1].startswith("interrupted")


def wait_for(condition, process):
    while not condition():
        assert process.poll() is None, "ended early"
        time.sleep(0.05)


def test_the_time_that_a_run_took_includes_that_before_it_was_stopped(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    first = checkpoints.Checkpoint(tmp_path, [0], 1.0, Interruption())
    first.resume({})
    now[0] = 40.0
    first.save(3)
    now[0] = 1000.0
    again = checkpoints.Checkpoint(tmp_path, [0], 1.0, Interruption())
    assert again.resume({}) == 3
    now[0] = 1005.0
    assert again.seconds == 45
