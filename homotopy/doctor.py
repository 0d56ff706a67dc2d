"""What is wrong with this machine, and the command that mends it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch

from homotopy import processor
from homotopy.errors import UserError, in_words
from homotopy.results import locks
from homotopy.results.files import nearest_folder
from homotopy.results.provenance import COMMIT, hardware, version
from homotopy.solvers import fused, native
from homotopy.tasks import datasets, embedded

ROOT = Path(__file__).resolve().parent.parent
_GB = 1e9
_MEMORY = Path("/proc/meminfo")
_INSTALL = "pip install --editable ."
OK, WRONG, ABSENT = "ok", "wrong", "absent"  # what is absent is needed for some things only


class Finding(NamedTuple):
    """One line: how it is, what was looked at, what was found, and what mends it."""

    state: str
    subject: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return the line."""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.state:<7} {self.subject:<14} {self.found}{remedy}"


def examine(results: Path, root: Path) -> Iterator[Finding]:
    """Look at everything; `results` is the results' folder and `root` the data's."""
    checks: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("python", python),
        ("packages", packages),
        ("torchvision", torchvision),
        ("devices", devices),
        ("threads", threads),
        ("compiler", compiler),
        ("memory", memory),
        ("disk", lambda: disk(results)),
        ("results", lambda: writable(results)),
        ("data", lambda: data_sets(root)),
        ("launchers", launchers),
        ("git", git),
    ]
    for subject, check in checks:
        try:
            yield from check()
        except Exception as error:  # whatever is wrong with this machine, the rest is looked at too
            yield Finding(WRONG, subject, in_words(error))


def enough(subject: str, free: float, needed: float, found: str, remedy: str) -> Finding:
    """Compare what is free with what is needed, in GB."""
    if free >= needed:
        return Finding(OK, subject, found)
    return Finding(WRONG, subject, found, f"{needed} GB are needed: {remedy}")


def python() -> Iterator[Finding]:
    """The version of Python; every script refuses one that is too old."""
    yield Finding(OK, "python", platform.python_version())


def required(file: Path) -> dict[str, str]:
    """Return the versions that a requirements file asks for, by package."""
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return {name: version for name, _, version in (line.partition("==") for line in lines) if version}


def installed(package: str) -> str | None:
    """Return a package's version without the name of its build; None where it is not installed."""
    found = version(package)
    return found and found.partition("+")[0]


def packages() -> Iterator[Finding]:
    """The versions of requirements.txt, with which results are promised byte for byte."""
    wanted = required(ROOT / "requirements.txt")
    differ = {name: (installed(name), pinned) for name, pinned in wanted.items() if installed(name) != pinned}
    for name, (found, pinned) in differ.items():
        yield Finding(WRONG, "packages", f"{name} {found or 'missing'}, requirements.txt has {pinned}", _INSTALL)
    if not differ:
        yield Finding(OK, "packages", f"the {len(wanted)} of requirements.txt")


def torchvision() -> Iterator[Finding]:
    """Whether torchvision was built for this torch."""
    builds = ", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision"))
    needs = " ".join(importlib.metadata.requires("torchvision") or [])
    wanted = re.search(r"\btorch ?\(?==([\d.]+)", needs)
    if wanted and wanted[1] != installed("torch"):
        yield Finding(WRONG, "torchvision", f"{builds}: made for torch {wanted[1]}", _INSTALL)
        return
    # it copes with a CPU build of the one and a GPU build of the other
    importlib.import_module("homotopy.tasks.torchvision_import")
    yield Finding(OK, "torchvision", f"{builds} match")


def devices() -> Iterator[Finding]:
    """The processors that PyTorch sees."""
    yield Finding(OK, "devices", f"cpu: {hardware(torch.device('cpu'))}")
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        yield Finding(OK, "devices", f"cuda:{number}: {properties.name}, {properties.total_memory / _GB:.0f} GB")
    if not torch.cuda.is_available() and shutil.which("nvidia-smi"):
        remedy = "install a CUDA build of that version: https://pytorch.org/get-started/locally"
        yield Finding(WRONG, "devices", f"there is a GPU, but torch {torch.__version__} cannot use it", remedy)


def threads() -> Iterator[Finding]:
    """The cores that this process may use, and the threads that PyTorch starts."""
    cores, started = processor.cores(), torch.get_num_threads()
    found = f"{started} on {cores} cores"
    if started > cores:
        yield Finding(WRONG, "threads", f"{found}: they fight for the cores", f"export OMP_NUM_THREADS={cores}")
    else:
        yield Finding(OK, "threads", found)


def compiler() -> Iterator[Finding]:
    """The C++ compiler, tried on the solver that needs it."""
    try:
        fused.library(torch.float32)
        yield Finding(OK, "compiler", f"{native.compiler()[0]} compiles the fast solver")
    except native.Unavailable as reason:
        remedy = "training takes longer; install g++ (apt install g++, xcode-select --install), or set CXX"
        yield Finding(ABSENT, "compiler", str(reason), remedy)


def memory() -> Iterator[Finding]:
    """Memory that can be had, that of the files' cache included; 8 seeds of the sine study need some 300 MB."""
    available = re.search(r"MemAvailable: +(\d+) kB", _MEMORY.read_text() if _MEMORY.exists() else "")
    if available:  # else this system is not Linux
        free = int(available[1]) * 1024 / _GB
        yield enough("memory", free, 1, f"{free:.1f} GB free", "end something")


def disk(results: Path) -> Iterator[Finding]:
    """Free disk below the results' folder."""
    free = shutil.disk_usage(nearest_folder(results)).free / _GB
    yield enough("disk", free, 2, f"{free:.1f} GB free at {results}", "remove something, or set results.root")


def writable(results: Path) -> Iterator[Finding]:
    """Whether files can be written and locked there."""
    place = nearest_folder(results)
    try:
        with (
            tempfile.TemporaryDirectory(dir=place, prefix=".doctor-") as name,
            locks.hold(Path(name), lambda others: [0]),
        ):
            known = locks.holders(Path(name))
    except (OSError, UserError) as error:
        yield Finding(WRONG, "results", in_words(error), "set results.root to a folder that you can write")
        return
    if known:
        yield Finding(OK, "results", f"{results} can be written and locked")
    else:
        remedy = "on such a disk start one command at a time"
        yield Finding(WRONG, "results", f"{place} knows no locks (flock)", remedy)


def data_sets(root: Path) -> Iterator[Finding]:
    """The images that come with the package, and the whole data sets, which profile paper's image runs alone need."""
    for name in embedded.SIZES:
        try:
            embedded.load(name)
        except UserError as error:
            yield Finding(WRONG, "data", in_words(error))
        else:
            yield Finding(OK, "data", f"{name}: the embedded images")
    for name in datasets.DATASETS:
        try:
            found = datasets.check(name, root, verify=False)
        except UserError as error:
            yield Finding(ABSENT, "data", in_words(error), "only image runs of profile paper need it")
        else:
            remedy = "usable with task.images=unofficial" if found.note else ""
            yield Finding(OK, "data", f"{name}: {found.note or 'the official files'}", remedy)


def launchers() -> Iterator[Finding]:
    """What spreads jobs over processes and machines."""
    needs = {"joblib": "joblib", "submitit_local": "submitit", "slurm": "submitit"}
    for name, package in needs.items():
        remedy = ""
        if not _is_there(f"hydra_plugins.hydra_{package}_launcher"):
            remedy = "pip install -r requirements-launchers.txt"
        elif name == "slurm" and not shutil.which("sbatch"):
            remedy = "Slurm's sbatch is not here: use it where the cluster's jobs are submitted"
        yield Finding(ABSENT if remedy else OK, "launchers", f"launcher={name}", remedy)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def git() -> Iterator[Finding]:
    """Whether results can name the code that made them."""
    if COMMIT:
        yield Finding(OK, "git", f"commit {COMMIT[:10]}")
    else:
        yield Finding(ABSENT, "git", "no commit: results cannot name the code that made them", "work in a git clone")
