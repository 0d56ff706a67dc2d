"""The keys and choices that conf/ knows, and those that a mistyped one may have meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

from homotopy.errors import ConfigError

CONF = Path(__file__).resolve().parent.parent / "conf"
_INTERNAL = ("budgets", "defaults", "hydra", "theory", "why")  # no one types these keys
_SYNONYMS = {
    "batch": ("batch_size",),
    "epochs": ("budget.k", "budget.final"),
    "learning_rate": ("optimizer.lr",),
    "width": ("model.width", "runtime.seeds_at_once"),
}
_ALIKE = 0.75  # of difflib's ratio, from which on a word may be another mistyped


def groups() -> list[str]:
    """Return the names of the groups of conf/."""
    return sorted(path.name for path in CONF.iterdir() if path.is_dir())


def names(group: str) -> list[str]:
    """Return the choices of a group of conf/."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def check_choice(group: str, name: str) -> None:
    """Raise ConfigError if a group of conf/ has no choice of that name."""
    if name not in names(group):
        raise ConfigError(group, name, f"one of {', '.join(names(group))}")


@cache
def known() -> frozenset[str]:
    """Return every group and every key in the files of conf/, such as optimizer.lr."""
    found = set(groups()).union(*(_keys(path) for path in CONF.rglob("*.yaml")))
    return frozenset(key for key in found if key.partition(".")[0] not in _INTERNAL)


def _keys(path: Path) -> dict[str, Any]:
    """Return the keys of a file of conf/ as a command line names them, and their values."""
    import yaml  # here: --help needs no package

    text = path.read_text()
    is_global = path.parent == CONF or "@package _global_" in text
    return dict(dotted(yaml.safe_load(text) or {}, "" if is_global else f"{path.parent.name}."))


def dotted(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key of a configuration with those of its groups, such as optimizer and optimizer.lr, and its value.

    `prefix` is put before each.
    """
    for name, value in content.items():
        yield f"{prefix}{name}", value
        if isinstance(value, Mapping):
            yield from dotted(value, f"{prefix}{name}.")


def meant(key: str) -> list[str]:
    """Return the known keys, at most three and the likeliest first, that an unknown key may stand for."""
    if key in _SYNONYMS:
        return list(_SYNONYMS[key])
    likeness = {other: _likeness(key, other) for other in known()}
    best = max(likeness.values())
    found = [other for other in known() if likeness[other] >= max(_ALIKE, best - 0.05)]
    return sorted(found, key=lambda other: (-likeness[other], other))[:3]


def _likeness(key: str, other: str) -> float:
    """Compare two keys whole and by their last parts; where only these agree, the more similar groups count more."""
    last, other_last = (name.rpartition(".")[2] for name in (key, other))
    whole = SequenceMatcher(None, key, other).ratio()
    return max(whole, SequenceMatcher(None, last, other_last).ratio() - 0.05 * (1 - whole))


def named(group: str, kinds: Sequence[str]) -> list[str]:
    """Return the choices of a group whose `name` is among `kinds`: for model and vgg these are vgg11 and vgg_small."""
    return [choice for choice in names(group) if _keys(CONF / group / f"{choice}.yaml").get(f"{group}.name") in kinds]


def hint(key: str) -> str:
    """Return what to type instead of a key that the configuration lacks, as the end of an error."""
    if key in groups():  # one that conf/config.yaml does not choose from
        return f"written with a plus: +{key}=..."
    if key in known():
        own = key.partition(".")[0]
        for group in [own] if own in groups() else groups():
            if having := [f"{group}={c}" for c in names(group) if key in _keys(CONF / group / f"{c}.yaml")]:
                return f"a key of what is chosen; these have it: {', '.join(having)}"
    likely = meant(key)
    if likely:
        return f"a known key; did you mean {' or '.join(likely)}?"
    return "a known key (python scripts/train.py --cfg job shows them all)"


def choice_hint(word: str) -> str:
    """Return what to type instead of a word without a key."""
    found = [f"{group}={word}" for group in groups() if word in names(group)]
    return f"KEY=VALUE; did you mean {' or '.join(found)}?" if found else "KEY=VALUE"
