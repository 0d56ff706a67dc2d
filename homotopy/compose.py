"""Composes configurations from conf/ outside Hydra's own start, with every mistake as one line.

A command line is composed and checked whole before anything runs, its sweep expanded: what is wrong is said before
a file is written. Figures and reports use the same expansion to find the results of an experiment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from homotopy import user_folders
from homotopy.errors import ConfigError, UserError, shortened
from homotopy.keys import CONF, check_choice, choice_hint, hint
from homotopy.script import at_home

OmegaConf.register_new_resolver("data_root", user_folders.data, replace=True)
# for budgets that are shared out among gamma steps, and at least one epoch each
OmegaConf.register_new_resolver("divide", lambda total, parts: max(1, int(total) // max(1, int(parts))), replace=True)
# for the epochs that a path of gamma steps of k epochs leaves to the target
OmegaConf.register_new_resolver("rest", lambda total, gamma, k: int(total) - int(gamma) * int(k), replace=True)
# for seeds that depend on omega: what a table has at a key, or else another value
OmegaConf.register_new_resolver("at", lambda key, table, otherwise: table.get(key, otherwise), replace=True)


def _check_words(overrides: Sequence[str]) -> None:
    for word in overrides:
        if "=" not in word and not word.startswith("~"):
            raise UserError(f"{shortened(word)}: must be {choice_hint(word)}")


def _parsed(overrides: Sequence[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(list(overrides))


def _check_choices(overrides: Sequence[str]) -> None:
    for override in _parsed(overrides):
        if override.key_or_group and (CONF / override.key_or_group).is_dir() and not override.is_delete():
            for value in override.sweep_iterator() if override.is_sweep_override() else [override.value()]:
                check_choice(override.key_or_group, str(value))


def _check_sweeps(given: Sequence[Override]) -> None:
    """Raise ConfigError for a sweep over what cannot be listed, and for a key that is given twice and swept over.

    Of plain values that are given twice the last one counts.
    """
    keys = [override.key_or_group for override in given]
    for override in given:
        if override.value_type in (ValueType.INTERVAL_SWEEP, ValueType.GLOB_CHOICE_SWEEP):
            allowed = "values, as in 1,2,3 or range(1,4)"
            raise ConfigError(override.key_or_group, str(override.input_line).partition("=")[2], allowed)
        if override.is_sweep_override() and keys.count(override.key_or_group) > 1:
            raise ConfigError(override.key_or_group, "twice", "given once in a sweep")


def _one_line(error: Exception, overrides: Sequence[str]) -> UserError:
    text = shortened(error, 500)
    if isinstance(error, OverrideParseException):
        remedy = """a value with blanks or signs goes into quotes twice: 'KEY="VALUE"'"""
        return UserError(f"{shortened(error.override)}: cannot be read; {remedy}")
    if "Could not find 'hydra/launcher/" in text:
        name = next((o.partition("=")[2] for o in overrides if o.startswith("launcher=")), "?")
        allowed = "one whose package is here (pip install -r requirements-launchers.txt brings them all)"
        return ConfigError("launcher", name, allowed)
    if missing := re.search(r"Missing mandatory value.* full_key: (\S+)", text):
        return ConfigError(missing[1], "???", "given")
    for override in overrides:
        key, _, value = override.partition("=")
        if f"'{key}'" in text or f"full_key: {key}" in text:
            lacking = "Could not override" in text and not key.startswith("hydra")
            return ConfigError(key, value, hint(key) if lacking else f"one that has a sense here ({text})")
    return UserError(text)


def _compose(overrides: Sequence[str]) -> DictConfig:
    try:
        _check_choices(overrides)
        return compose("config", list(overrides), return_hydra_config=True)
    except (AssertionError, AttributeError, TypeError, ValueError) as error:  # how Hydra refuses what has no sense
        raise UserError(f"{shortened(' '.join(overrides))}: means nothing to Hydra ({shortened(error)})") from None


def _without_hydra(config: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])


def _plain(config: DictConfig) -> dict[str, Any]:
    return OmegaConf.to_container(config, resolve=True, throw_on_missing=True)  # type: ignore[return-value]


def _sweep(config: DictConfig, overrides: Sequence[str]) -> list[list[str]]:
    """Return the override lists of all jobs, as Hydra's sweeper makes them: the last of a key's values counts."""
    params = [f"{key}={value}" for key, value in (config.hydra.sweeper.get("params") or {}).items()]
    (jobs,) = BasicSweeper.split_arguments(_parsed([*params, *overrides]), max_batch_size=None)
    return jobs


def _is_group(override: str) -> bool:
    return (CONF / override.lstrip("+").partition("=")[0]).is_dir()


def _expand(sweep: Sequence[Sequence[str]]) -> Iterator[DictConfig]:
    """Compose every job; Hydra composes once per choice of groups, and plain values are set on a copy of that.

    A value that is a mapping is merged into what is there, so that a job with such a one is composed for itself.
    """
    composed: dict[tuple[str, ...], DictConfig] = {}
    for job in sweep:
        plain = _parsed([text for text in job if not _is_group(text)])
        if any(isinstance(override.value(), dict) for override in plain):
            yield _without_hydra(_compose(job))
            continue
        groups = tuple(filter(_is_group, job))
        if groups not in composed:
            composed[groups] = _without_hydra(_compose(job))
        config = composed[groups].copy()
        for override in plain:
            hydras_own = re.split("[./]", override.key_or_group)[0] == "hydra"
            if not override.is_delete() and not hydras_own:
                OmegaConf.update(config, override.key_or_group, override.value())
        yield config


def jobs(overrides: Sequence[str]) -> list[dict[str, Any]]:
    """Return every configuration that a command line stands for, resolved to plain values.

    Raises UserError, in one line, for an unknown key or choice.
    """
    found = []
    with _hydra_of_its_own(), initialize_config_dir(str(CONF), version_base="1.3"):
        for line in command_lines(overrides):
            with _in_one_line(line):
                found += _jobs(line)
    return found


@contextmanager
def _hydra_of_its_own() -> Iterator[None]:
    """Put Hydra's one global state aside, which a job that Hydra runs is part of, and back afterwards."""
    place = GlobalHydra.instance()
    before = place.hydra
    place.clear()
    try:
        yield
    finally:
        place.clear()
        if before is not None:
            place.initialize(before)


def command_lines(overrides: Sequence[str]) -> list[list[str]]:
    """Return the overrides for each experiment that is asked for, one after the other: each has a sweep of its own.

    The ~ of a value such as ~/images becomes the user's home, as if a shell had read it. Raises UserError.
    """
    overrides = [at_home(text) for text in overrides]
    _check_words(overrides)
    with _in_one_line(overrides):
        given = _parsed(overrides)
        _check_sweeps(given)
        for i, override in enumerate(given):
            if override.key_or_group == "experiment" and override.is_sweep_override():
                each = override.sweep_string_iterator()
                return [[*overrides[:i], f"experiment={name}", *overrides[i + 1 :]] for name in each]
    return [overrides]


@contextmanager
def _in_one_line(overrides: Sequence[str]) -> Iterator[None]:
    """Turn what Hydra refuses of these overrides into a UserError."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise _one_line(error, overrides) from None


def _jobs(overrides: Sequence[str]) -> list[dict[str, Any]]:
    given = _parsed(overrides)
    swept = any(override.is_sweep_override() for override in given)
    single = [_first(override, text) for override, text in zip(given, overrides, strict=True)]
    _check_choices(overrides)
    first = _compose(single)
    if not swept and not str(first.hydra.mode).endswith("MULTIRUN"):
        return [_plain(_without_hydra(first))]
    return [_plain(config) for config in _expand(_sweep(first, overrides))]


def _first(override: Override, text: str) -> str:
    """Return an override with the first of the values that it sweeps over."""
    if not override.is_sweep_override():
        return text
    value = next(iter(override.sweep_string_iterator()), None)
    if value is None:
        raise ConfigError(override.key_or_group, text.partition("=")[2], "at least one value")
    return f"{override.get_key_element()}={value}"
