"""The doctor names what is wrong and what mends it, and always gets to the end."""

import pytest
import torch

from homotopy import doctor, processor
from homotopy.results import locks
from homotopy.solvers import native
from homotopy.tasks.datasets import DATASETS
from tests.machine import command


def found(check):
    return [(finding.state, finding.found, finding.remedy) for finding in check]


def test_the_script_has_a_line_for_everything_and_writes_nothing(tmp_path):
    done = command("scripts/doctor.py", f"results.root={tmp_path / 'results'}", f"data.root={tmp_path}")
    subjects = [line.split()[1] for line in done.out.splitlines()]
    for subject in ("python", "packages", "torchvision", "devices", "threads", "compiler", "disk", "results", "git"):
        assert subject in subjects
    assert ("memory" in subjects) == doctor._MEMORY.exists()
    assert done.code == (1 if "wrong" in [line.split()[0] for line in done.out.splitlines()] else 0)
    assert "Traceback" not in done.err and not list(tmp_path.iterdir())


def test_another_version_is_wrong(monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda name: "0.1" if name == "numpy" else None)
    lines = found(doctor.packages())
    assert (
        "wrong",
        f"numpy 0.1, requirements.txt has {doctor.required(doctor.ROOT / 'requirements.txt')['numpy']}",
        doctor._INSTALL,
    ) in lines
    assert any(state == "wrong" and text.startswith("pandas missing") for state, text, _ in lines)


def test_torchvision_of_another_torch_is_wrong(monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda name: "1.0")
    ((state, text, remedy),) = found(doctor.torchvision())
    assert (state, remedy) == ("wrong", "pip install --editable .") and "made for torch" in text


def test_a_gpu_that_torch_cannot_use_is_wrong(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(doctor.shutil, "which", lambda program: "/usr/bin/nvidia-smi")
    assert found(doctor.devices())[-1][0] == "wrong"


def test_more_threads_than_cores_are_wrong(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)
    ((state, _, remedy),) = found(doctor.threads())
    assert state == "wrong" and remedy.endswith(f"OMP_NUM_THREADS={processor.cores()}")


def test_without_a_compiler_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    native.load.cache_clear()
    ((state, text, remedy),) = found(doctor.compiler())
    assert state == "absent" and "no-such-compiler" in text and "install g++" in remedy


def test_too_little_is_wrong():
    assert doctor.enough("disk", 2.5, 2, "2.5 GB free", "remove something").state == "ok"
    said = str(doctor.enough("disk", 1.5, 2, "1.5 GB free", "remove something"))
    assert said.split()[:2] == ["wrong", "disk"] and "1.5 GB free" in said and "2 GB" in said
    assert said.endswith("remove something")


@pytest.mark.parametrize(("available", "state"), [(8_000_000, "ok"), (800_000, "wrong")])
def test_memory_that_the_cache_of_files_has_is_free(tmp_path, monkeypatch, available, state):
    told = tmp_path / "meminfo"
    told.write_text(f"MemTotal:       16000000 kB\nMemFree:          100000 kB\nMemAvailable:    {available} kB\n")
    monkeypatch.setattr(doctor, "_MEMORY", told)
    assert [each for each, *_ in found(doctor.memory())] == [state]
    monkeypatch.setattr(doctor, "_MEMORY", tmp_path / "missing")
    assert found(doctor.memory()) == []


def test_a_folder_that_cannot_be_written_or_locked_is_wrong(tmp_path, monkeypatch):
    assert found(doctor.writable(tmp_path))[0][0] == "ok"
    file = tmp_path / "file"
    file.touch()
    assert found(doctor.writable(file))[0][::2] == ("wrong", "set results.root to a folder that you can write")
    monkeypatch.setattr(locks, "try_lock", lambda *file_and_kind: True)
    assert "knows no locks" in found(doctor.writable(tmp_path))[0][1]


def test_missing_and_damaged_data_sets_are_named(tmp_path):
    lines = found(doctor.data_sets(tmp_path))
    assert [state for state, *_ in lines] == ["ok"] * 3 + ["absent"] * len(DATASETS)
    assert all("python scripts/data.py" in text and "paper" in remedy for _, text, remedy in lines[3:])


def test_missing_embedded_images_are_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.embedded, "FOLDER", tmp_path)
    assert [state for state, *_ in found(doctor.data_sets(tmp_path))] == ["wrong"] * 3 + ["absent"] * len(DATASETS)


def test_whatever_goes_wrong_the_rest_is_looked_at(tmp_path, monkeypatch):
    def broken():
        raise ZeroDivisionError("no\nmemory")

    monkeypatch.setattr(doctor, "memory", broken)
    lines = list(doctor.examine(tmp_path, tmp_path))
    assert ("wrong", "memory", "ZeroDivisionError: no memory") in [tuple(line)[:3] for line in lines]
    assert lines[-1].subject == "git"


def test_slurm_needs_both_its_command_and_its_package(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda program: "/usr/bin/sbatch")
    monkeypatch.setattr(doctor, "_is_there", lambda module: "joblib" in module)
    assert [(state, remedy[:11]) for state, _, remedy in found(doctor.launchers())] == [
        ("ok", ""),
        ("absent", "pip install"),
        ("absent", "pip install"),
    ]
    monkeypatch.setattr(doctor, "_is_there", lambda module: True)
    assert [state for state, *_ in found(doctor.launchers())] == ["ok", "ok", "ok"]
    monkeypatch.setattr(doctor.shutil, "which", lambda program: None)
    assert [state for state, *_ in found(doctor.launchers())] == ["ok", "ok", "absent"]


@pytest.mark.parametrize("text, expected", [("torch==2.1  # why\n# x==1\n-r other.txt\npytest\n", {"torch": "2.1"})])
def test_required_reads_pinned_versions(tmp_path, text, expected):
    (tmp_path / "requirements.txt").write_text(text)
    assert doctor.required(tmp_path / "requirements.txt") == expected
