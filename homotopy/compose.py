"""Composes configurations from conf/ outside Hydra's own start, with every mistake as one line.

A command line is composed and checked whole before anything runs, its sweep expanded: what is wrong is said before
a file is written. Figures and reports use the same expansion to find the results of an experiment.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from homotopy.errors import ConfigError, UserError

CONF = Path(__file__).resolve().parent.parent / "conf"
# for budgets that are shared out among gamma steps, and at least one epoch each
OmegaConf.register_new_resolver("divide", lambda total, parts: max(1, int(total) // max(1, int(parts))), replace=True)


def _check_choices(overrides: Sequence[str]) -> None:
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        group = CONF / (override.key_or_group or "")
        if not group.is_dir() or override.is_delete():
            continue
        values = override.sweep_iterator() if override.is_sweep_override() else [override.value()]
        choices = sorted(path.stem for path in group.glob("*.yaml"))
        for value in values:
            if str(value) not in choices:
                raise ConfigError(override.key_or_group, value, f"one of {', '.join(choices)}")


def _one_line(error: Exception, overrides: Sequence[str]) -> UserError:
    text = " ".join(str(error).split())
    for override in overrides:
        key, _, value = override.partition("=")
        if f"'{key}'" in text or f"full_key: {key}" in text:
            return ConfigError(key, value, f"a known key ({text})")
    return UserError(text)


def _compose(overrides: Sequence[str]) -> DictConfig:
    try:
        _check_choices(overrides)
        return compose("config", list(overrides), return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise _one_line(error, overrides) from None


def _plain(config: DictConfig) -> dict[str, Any]:
    with_hydra = config.copy()
    OmegaConf.set_struct(with_hydra, False)
    with_hydra.pop("hydra", None)
    try:
        return OmegaConf.to_container(with_hydra, resolve=True, throw_on_missing=True)  # type: ignore[return-value]
    except OmegaConfBaseException as error:
        raise UserError(" ".join(str(error).split())) from None


def _sweep(config: DictConfig, overrides: Sequence[str]) -> list[list[str]]:
    """Return the override lists of all jobs: the experiment's sweep, each key replaced by the command line's."""
    given = OverridesParser.create().parse_overrides(list(overrides))
    keys = {override.key_or_group for override in given}
    params = dict(config.hydra.sweeper.get("params") or {})
    swept = {key: _split(str(value)) for key, value in params.items() if key not in keys}
    dimensions = [[f"{key}={value.strip()}" for value in values] for key, values in swept.items()]
    for text, override in zip(overrides, given, strict=True):
        if override.is_sweep_override():
            dimensions.append([f"{override.key_or_group}={value}" for value in override.sweep_string_iterator()])
        else:
            dimensions.append([text])
    return [list(job) for job in itertools.product(*dimensions)]


def _split(values: str) -> list[str]:
    override = OverridesParser.create().parse_override(f"key={values}")
    return [str(v) for v in override.sweep_string_iterator()] if override.is_sweep_override() else [values]


def jobs(overrides: Sequence[str]) -> list[dict[str, Any]]:
    """Return every configuration that a command line stands for, resolved to plain values.

    Raises UserError, in one line, for an unknown key or choice.
    """
    with initialize_config_dir(str(CONF), version_base="1.3"):
        first = _compose(overrides)
        multirun = str(first.hydra.mode).endswith("MULTIRUN") or any(
            o.is_sweep_override() for o in OverridesParser.create().parse_overrides(list(overrides))
        )
        if not multirun:
            return [_plain(first)]
        return [_plain(_compose(job)) for job in _sweep(first, overrides)]
