"""Settings: the fields of frozen dataclasses and the parameters of functions, checked once against type and range."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from homotopy.errors import ConfigError

T = TypeVar("T")
FOLDER = "a folder (write one that is named like a number as ./2026)"
FOLDER_NAME = "a folder's name"
BELOW = 2**31  # what an integer must be below, so that what is too large is said before it is tried


def rule(holds: Callable[[Any], bool], allowed: str, **options: Any) -> Any:
    """Return a dataclass field whose value must satisfy `holds`; `allowed` says so in words."""
    return dataclasses.field(metadata=such_that(holds, allowed), **options)


def not_set(default: Any) -> Any:
    """Return a dataclass field that no configuration sets, since it follows from the data."""
    return dataclasses.field(default=default, metadata={"is_set": False})


def such_that(holds: Callable[[Any], bool], allowed: str) -> dict[str, Any]:
    """Return the range of a function's parameter, `Annotated[int, such_that(...)]`."""
    return {"holds": holds, "allowed": allowed}


def at_least(low: float) -> Callable[[Any], bool]:
    """Finite and not below `low`."""
    return lambda value: math.isfinite(value) and value >= low


def within(low: float, high: float) -> Callable[[Any], bool]:
    """Between two bounds, both included."""
    return lambda value: low <= value <= high


def between(low: float, high: float) -> Callable[[Any], bool]:
    """Strictly between two bounds."""
    return lambda value: low < value < high


def positive(value: float) -> bool:
    """Finite and above 0."""
    return math.isfinite(value) and value > 0


def one_of(*choices: Any) -> Callable[[Any], bool]:
    """One of some values."""
    return lambda value: value in choices


def is_path(value: str) -> bool:
    """Whether a file or folder could have this name; `FOLDER` says so in words."""
    return value != "" and "\0" not in value


def is_folder_name(value: str) -> bool:
    """Whether a value names one folder, and no path of several; `FOLDER_NAME` says so in words."""
    return is_path(value.strip(".")) and "/" not in value


def matches(value: Any, kind: Any) -> bool:
    """Whether a value has a type, or one of a union; integers are numbers, and booleans are neither."""
    if isinstance(kind, UnionType):
        return any(matches(value, part) for part in get_args(kind))
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, getattr(kind, "__origin__", kind))


class _Wanted(NamedTuple):
    kind: Any
    range: Mapping[str, Any]
    optional: bool


def build(cls: type[T], values: Any, key: str) -> T:
    """Build settings `cls` from a mapping found under `key`; raise ConfigError for the first mistake."""
    hints = get_type_hints(cls)
    wanted = {f.name: _Wanted(hints[f.name], f.metadata, f.default is not dataclasses.MISSING) for f in _fields(cls)}
    return cls(**_checked(values, key, wanted))


def values(of: Any) -> dict[str, Any]:
    """Return the settings that `build` built `of` from, defaults included."""
    return {f.name: getattr(of, f.name) for f in _fields(of)}


def _fields(of: Any) -> list[dataclasses.Field]:
    return [f for f in dataclasses.fields(of) if f.metadata.get("is_set", True)]


def call(function: Callable[..., T], values: Any, key: str) -> T:
    """Call a function with a mapping found under `key`; raise ConfigError for the first mistake."""
    hints = get_type_hints(function, include_extras=True)
    wanted = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind, *ranges = get_args(hints[name]) if get_origin(hints[name]) is Annotated else [hints[name]]
        wanted[name] = _Wanted(kind, ranges[0] if ranges else {}, parameter.default is not parameter.empty)
    return function(**_checked(values, key, wanted))


def _checked(values: Any, key: str, wanted: Mapping[str, _Wanted]) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ConfigError(key, values, f"a group with {', '.join(wanted)}")
    for name in values:
        if name not in wanted:
            raise ConfigError(f"{key}.{name}", values[name], f"left out: {key} has {', '.join(wanted)}")
    for name, of in wanted.items():
        if name not in values and not of.optional:
            raise ConfigError(f"{key}.{name}", "missing", of.range.get("allowed", "given"))
    given = {name: of for name, of in wanted.items() if name in values}
    return {name: check(values[name], of.kind, f"{key}.{name}", **of.range) for name, of in given.items()}


def given(raw: Mapping[str, Any], key: str) -> Any:
    """Return the value at a key such as `results.root`; raise ConfigError where there is none."""
    found: Any = raw
    for name in key.split("."):
        if not isinstance(found, Mapping) or name not in found:
            raise ConfigError(key, "missing", "given")
        found = found[name]
    return found


def check(value: Any, kind: Any, key: str, holds: Callable[[Any], bool] | None = None, allowed: str = "") -> Any:
    """Return `value` if it has the type `kind` and `holds`, else raise ConfigError, which says what is `allowed`."""
    allowed = allowed or f"of type {getattr(kind, '__name__', kind)}"
    if not matches(value, kind):
        raise ConfigError(key, value, allowed)
    if isinstance(value, int) and abs(value) >= BELOW:
        raise ConfigError(key, value, f"{allowed}, and below {BELOW}")
    if holds is not None and value is not None and not holds(value):
        raise ConfigError(key, value, allowed)
    return float(value) if kind is float else value
