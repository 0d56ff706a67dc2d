"""Result files: what is on the disk is what was written, or it is not used."""

import errno
import itertools
import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import torch
import yaml

from homotopy.errors import ResultError, UnreadableError
from homotopy.identity import SCHEMA
from homotopy.results import files
from homotopy.results.folder import RunFolder
from homotopy.training import checkpoints, runner, sources
from homotopy.training.history import History
from tests.machine import in_child, make_read_only, mount_disk, needs_mounts, own_mounts, status

FILES = ("SHA256SUMS", "config.yaml", "median.csv", "metadata.json", "runs.csv.gz")
TINY = ("seeds=2", "method=random", "schedule.gamma=1", "budget.k=2", "budget.final=0")


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES if name not in ("metadata.json", "SHA256SUMS")}


@pytest.fixture
def finished(tiny):
    config = tiny(*TINY)
    runner.run(config)
    return config


def test_sha256sum_checks_a_folder(finished):
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=finished.folder, check=True)
    assert len((finished.folder / "SHA256SUMS").read_text().splitlines()) == 4


def test_a_finished_run_is_not_written_again(finished):
    before = {path: path.stat().st_mtime_ns for path in finished.folder.iterdir()}
    runner.run(finished)
    assert {path: path.stat().st_mtime_ns for path in finished.folder.iterdir()} == before


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def alter(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, alter, empty])
@pytest.mark.parametrize("name", FILES[1:])
def test_a_damaged_file_is_set_aside_and_made_again(finished, name, damage, capsys):
    expected, path = contents(finished.folder), finished.folder / name
    damage(path)
    damaged = path.read_bytes()
    runner.run(finished)
    assert contents(finished.folder) == expected
    assert str(path) in capsys.readouterr().err
    assert (finished.folder / f"{name}.damaged-1").read_bytes() == damaged
    assert RunFolder(finished.folder).settled(finished.identity(), finished.seeds)


@pytest.mark.parametrize("position", range(0, 300, 41))
def test_damaged_checksums_lose_nothing(finished, position):
    expected, path = contents(finished.folder), finished.folder / "SHA256SUMS"
    text = bytearray(path.read_bytes())
    text[position] ^= 1
    path.write_bytes(text)
    everything = {file.read_bytes() for file in finished.folder.iterdir() if file.is_file()}
    runner.run(finished)
    assert contents(finished.folder) == expected
    kept = {file.read_bytes() for file in finished.folder.iterdir() if file.is_file()}
    assert {data for data in everything - kept if b"process" not in data} <= {bytes(text)}
    assert RunFolder(finished.folder).settled(finished.identity(), finished.seeds)


@pytest.mark.parametrize("name", ["median.csv", "metadata.json", "runs.csv.gz"])
def test_a_damaged_file_is_never_read(finished, name):
    alter(finished.folder / name)
    folder = RunFolder(finished.folder)
    with pytest.raises(ResultError, match=f"{name} is truncated or altered"):
        folder.runs(), folder.medians(), folder.metadata()


def test_a_deleted_file_is_made_again(finished):
    expected = contents(finished.folder)
    for name in FILES:
        (finished.folder / name).unlink()
        runner.run(finished)
        assert contents(finished.folder) == expected, name


def test_runs_are_believed_without_checksums_if_they_are_whole(finished):
    (finished.folder / "SHA256SUMS").unlink()
    before = (finished.folder / "metadata.json").read_bytes()
    runner.run(finished)
    assert (finished.folder / "metadata.json").read_bytes() == before  # nothing was trained again


def test_lost_metadata_follow_from_the_runs(tiny):
    config = tiny("seeds=2", "optimizer=sgd", "optimizer.lr=1e4", "method=random")
    runner.run(config)
    before = RunFolder(config.folder).metadata()["diverged_at"]
    (config.folder / "metadata.json").unlink()
    runner.run(config)
    found = RunFolder(config.folder).metadata()
    assert found["seeds"] == [0, 1] and found["diverged_at"] == before and before.keys() == {"0", "1"}
    assert "lost" in found["records"][0]["note"]


def test_a_second_damaged_file_does_not_replace_the_first(finished):
    for _ in range(2):
        truncate(finished.folder / "median.csv")
        runner.run(finished)
    assert {p.name for p in finished.folder.glob("*.damaged-*")} == {"median.csv.damaged-1", "median.csv.damaged-2"}


@pytest.mark.parametrize("schema, age", [(SCHEMA + 1, "newer"), (SCHEMA - 1, "older")])
def test_the_folder_of_another_version_is_refused_and_left_alone(finished, schema, age):
    path = finished.folder / "config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"schema": schema}))
    before = {path: path.read_bytes() for path in finished.folder.glob("[!.]*")}
    for use in (lambda: runner.run(finished), RunFolder(finished.folder).runs):
        with pytest.raises(ResultError, match=f"of an? {age} version"):
            use()
    assert {path: path.read_bytes() for path in finished.folder.glob("[!.]*")} == before


def test_a_damaged_source_solution_is_found_again(tiny):
    config = tiny()
    runner.run(config)
    expected = contents(config.folder)
    shutil.rmtree(config.folder)
    first, *_ = sorted((config.results / ".cache").glob("*/seed-*.pt"))
    alter(first)
    runner.run(config)
    assert contents(config.folder) == expected
    assert first.exists() and first.with_name(f"{first.name}.damaged-1").exists()


@pytest.mark.parametrize("damage", [truncate, alter, empty])
def test_a_damaged_checkpoint_of_the_source_task_is_set_aside(tiny, monkeypatch, damage):
    whole = tiny(results={"root": str(tiny().results / "whole")})
    runner.run(whole)
    config = tiny("runtime.checkpoint_minutes=0")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(sources, "write_tensors", interrupt)
        runner.run(config)
    (path,) = (config.results / ".cache").glob("*/checkpoint-*.pt")
    damage(path)
    runner.run(config)
    assert path.with_name(f"{path.name}.damaged-1").exists()
    assert contents(config.folder) == contents(whole.folder)


def interrupt(*arguments):
    raise KeyboardInterrupt


def half_way(tiny, monkeypatch):
    """Return a configuration that stopped with a checkpoint."""
    config = tiny("seeds=2", "method=random", "runtime.checkpoint_minutes=0")
    save = checkpoints.Checkpoint.save

    def save_and_stop(self, epoch):
        save(self, epoch)
        if epoch == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoints.Checkpoint, "save", save_and_stop)
        runner.run(config)
    (path,) = config.folder.glob("checkpoint-*.pt")
    return config, path


@pytest.mark.parametrize("damage", [truncate, alter, empty])
def test_a_damaged_checkpoint_is_set_aside(tiny, monkeypatch, damage, capsys):
    whole = tiny("seeds=2", "method=random", results={"root": str(tiny().results / "whole")})
    runner.run(whole)
    config, path = half_way(tiny, monkeypatch)
    damage(path)
    runner.run(config)
    assert "truncated or altered" in capsys.readouterr().err
    assert path.with_name(f"{path.name}.damaged-1").exists()
    assert contents(config.folder) == contents(whole.folder)


def test_a_checkpoint_of_another_program_is_set_aside(tiny, monkeypatch):
    config, path = half_way(tiny, monkeypatch)
    head, tensors = checkpoints.read_tensors(path)
    del tensors["ensemble.theta"]
    checkpoints.write_tensors(path, head, tensors)
    with pytest.raises(ResultError, match="the same command"):
        runner.run(config)
    runner.run(config)


@pytest.mark.parametrize("name", ["runs.csv.gz", "metadata.json"])
def test_a_result_that_cannot_be_read_now_is_left_where_it_is(finished, monkeypatch, name):
    before = {path: path.read_bytes() for path in finished.folder.glob("[!.]*")}
    with monkeypatch.context() as patch, pytest.raises(UnreadableError, match=f"cannot read .*{name}"):
        patch.setattr(Path, "read_bytes", refusing(name, Path.read_bytes))
        runner.run(finished)
    assert {path: path.read_bytes() for path in finished.folder.glob("[!.]*")} == before


def refusing(name, read):
    """Return what reads every file but those of this name, as when too many are open."""

    def read_bytes(path):
        if path.name == name:
            raise OSError(errno.EMFILE, "Too many open files", str(path))
        return read(path)

    return read_bytes


def test_a_checkpoint_that_cannot_be_read_now_is_gone_on_from_later(tiny, monkeypatch):
    config, path = half_way(tiny, monkeypatch)
    before = path.read_bytes()

    def refused(path):
        with files.refusal(path, "read"):
            raise OSError(errno.EIO, "Input/output error")

    for read in ("read_head", "read_tensors"):
        with monkeypatch.context() as patch, pytest.raises(UnreadableError, match="Input/output error"):
            patch.setattr(checkpoints, read, refused)
            runner.run(config)
        assert path.read_bytes() == before


def test_a_checkpoint_that_does_not_fit_into_memory_is_kept(tiny, monkeypatch):
    config, path = half_way(tiny, monkeypatch)
    before = path.read_bytes()

    def load(self, state):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch, pytest.raises(torch.OutOfMemoryError):
        patch.setattr(History, "load", load)
        runner.run(config)
    assert path.read_bytes() == before


def fill(path, free):
    """Leave `free` bytes on the disk."""
    with suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    os.truncate(path, max(0, path.stat().st_size - free))


def test_a_full_disk_is_one_line_and_nothing_is_lost(finished, tiny, tmp_path):
    needs_mounts()
    disk, expected = tmp_path / "disk", contents(finished.folder)
    config = tiny(*TINY, results={"root": str(disk)})

    def work():
        own_mounts()
        mount_disk(disk, "128k")
        failures = 0
        for pages in itertools.count():  # a little more room each time
            fill(disk / "fill", 4096 * pages)
            try:
                runner.run(config)
                break
            except ResultError as error:
                assert "No space left on device" in str(error)
                failures += 1
        assert failures >= 4
        assert contents(config.folder) == expected

    assert status(in_child(work)) == 0


def test_a_read_only_folder_is_one_line_unless_there_is_nothing_to_do(tiny, tmp_path):
    needs_mounts()
    disk = tmp_path / "disk"
    config, more = (tiny(*TINY, *extra, results={"root": str(disk)}) for extra in ((), ("seeds=3",)))

    def work():
        own_mounts()
        mount_disk(disk, "1m")
        runner.run(config)
        make_read_only(disk)
        runner.run(config)
        with pytest.raises(ResultError, match="Read-only file system"):
            runner.run(more)

    assert status(in_child(work)) == 0


def test_metadata_tell_how_long_training_took(finished):
    record = json.loads((finished.folder / "metadata.json").read_text())["records"][0]
    assert record["seconds"] >= 0 and record["seeds"] == [0, 1]
