"""What experiments ask for, in plain values that are read without Hydra and PyTorch.

Composing every experiment takes Hydra half a minute. So the outlines are kept in the user's cache, and made again when
a file of the configuration or of the code has changed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homotopy import user_folders
from homotopy.errors import ResultError, UserError
from homotopy.keys import CONF
from homotopy.results import copies
from homotopy.results.files import sha256, write_atomic
from homotopy.script import shown
from homotopy.settings import values

if TYPE_CHECKING:
    from homotopy.config import Config
    from homotopy.job import Job


_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Outline:
    """A training configuration: `size` is a run's epochs times its samples; runs of a `kind` cost the same per size."""

    folder: Path
    seeds: tuple[int, ...]
    task: str
    kind: str
    size: int
    lr: float
    threads: int | None
    device: str

    @property
    def name(self) -> str:
        """The folder in one word."""
        return f"{self.folder.parent.name}-{self.folder.name}"


def of(config: Config) -> Outline:
    """Return a configuration's outline."""
    return Outline(
        folder=config.folder,
        seeds=config.seeds,
        task=config.task.name,
        kind=json.dumps([values(config.model), config.batch_size], sort_keys=True),
        size=config.epochs * (config.task.training_samples or 1),
        lr=config.optimizer.lr,
        threads=config.runtime.threads,
        device=config.runtime.device,
    )


def experiments(names: Sequence[str], results: Path, profile: str) -> dict[str, list[Outline]]:
    """Return the outlines of what each experiment trains, on the image files that have results.

    Raises UserError as `compose.jobs` does.
    """
    version = _version()
    kept = _kept(profile, version)
    if missing := [name for name in names if name not in kept]:
        with shown(f"composing {len(missing)} experiments, once"):
            kept |= _composed(missing, profile)
        _keep(profile, version, kept)
    return {name: _of_one_copy(kept[name], results) for name in names}


def _of_one_copy(kept: Sequence[list[dict[str, Any]]], results: Path) -> list[Outline]:
    def placed(plain: Sequence[dict[str, Any]]) -> list[Outline]:
        return [_placed(each, results) for each in plain]

    asked, others = kept
    return list(copies.chosen(placed(asked), lambda: placed(others), lambda each: each.folder))


def _placed(plain: dict[str, Any], results: Path) -> Outline:
    return Outline(**plain | {"folder": results / plain["folder"], "seeds": tuple(plain["seeds"])})


def _composed(names: Sequence[str], profile: str) -> dict[str, list[list[dict[str, Any]]]]:
    from homotopy import compose  # noqa: F401  (here, for the processes to have it)

    with ProcessPoolExecutor(min(len(names), os.cpu_count() or 1)) as pool:
        return dict(zip(names, pool.map(partial(_compose, profile), names), strict=True))


def _compose(profile: str, name: str) -> list[list[dict[str, Any]]]:
    """Return the outlines of an experiment as plain values, as it stands and on unofficial image files."""
    from homotopy import compose
    from homotopy.job import parse

    try:
        asked = [parse(composed) for composed in compose.jobs([f"experiment={name}", f"profile={profile}"])]
    except UserError as error:
        raise UserError(f"experiment={name} profile={profile}: {error}") from None
    trained = [job for job in asked if job.trains]
    return [[_plain(job) for job in jobs] for jobs in (trained, map(copies.unofficial, trained))]


def _plain(job: Job) -> dict[str, Any]:
    """Return a job's outline as plain values, its folder seen from that of the results."""
    config = job.config
    return asdict(of(config)) | {"folder": str(config.folder.relative_to(config.results))}


def _version() -> str:
    """Return what stands for all the files, and variables of the environment, that outlines depend on."""
    files = sorted([*CONF.rglob("*.yaml"), *_PACKAGE.rglob("*.py")])
    content = b"".join(str(path).encode() + path.read_bytes() for path in files)
    variables = {name: os.environ.get(name) for name in re.findall(r"oc\.env:(\w+)", content.decode())}
    return sha256(content + json.dumps(variables, sort_keys=True).encode())


def _file(profile: str) -> Path:
    return user_folders.cache() / f"experiments-{profile}-{sha256(str(CONF).encode())[:8]}.json"


def _kept(profile: str, version: str) -> dict[str, list[list[dict[str, Any]]]]:
    """Return what was kept of this version; nothing if it is of another, damaged, or was never written."""
    with suppress(OSError, RuntimeError, ValueError, LookupError, TypeError):  # RuntimeError: a user without a home
        found = json.loads(_file(profile).read_bytes())
        if found["version"] == version:
            return found["experiments"]
    return {}


def _keep(profile: str, version: str, kept: dict[str, list[list[dict[str, Any]]]]) -> None:
    with suppress(ResultError, RuntimeError):  # it is made again where it cannot be kept
        write_atomic(_file(profile), json.dumps({"version": version, "experiments": kept}).encode())
