"""A job: what one composed configuration asks for, parsed once. It travels from the command line to the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homotopy import config
from homotopy.config import Config
from homotopy.identity import digest
from homotopy.settings import check, given

TRAIN = "train"


@dataclass(frozen=True)
class Job:
    """`kind` says what is done, `config` with which settings; `composed` are all settings as plain values."""

    kind: str
    config: Config
    composed: Mapping[str, Any]

    @property
    def trains(self) -> bool:
        """Whether this job trains its configuration."""
        return self.kind == TRAIN

    @property
    def name(self) -> str:
        """The job in one word: for training the result's folder, whatever machine it runs on."""
        return self.config.name if self.trains else f"{self.kind}-{digest(self.composed)}"

    @property
    def folder(self) -> Path:
        """The profile's folder, below which the job writes."""
        return self.config.results / self.config.profile


def parse(composed: Mapping[str, Any]) -> Job:
    """Check what every job has, and return the job; raise ConfigError for the first mistake."""
    kind = check(given(composed, "job"), str, "job", allowed="a word, such as train")
    return Job(kind, config.from_dict(composed), composed)
