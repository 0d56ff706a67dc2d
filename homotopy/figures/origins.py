"""Which image data a figure was made from: in words where they are not the official files, and to the byte."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

Records = Sequence[Mapping[str, Any]]  # each a `homotopy.tasks.datasets.Provenance`, as metadata holds it


def remarks(records: Records) -> list[str]:
    """Return for each data set that is not made of the official files its name and what its files are."""
    return list(dict.fromkeys(f"{record['name']}: {_files(record)}" for record in records if not record["official"]))


def origins(records: Records) -> list[str]:
    """Return for each data set its name, whether its files are the official ones, and a digest of their checksums.

    The digest is the md5's first eight digits of what `md5sum` prints for its files in the order of their names.
    Records that are alike give one entry.
    """
    return list(dict.fromkeys(_origin(record) for record in records))


def _files(record: Mapping[str, Any]) -> str:
    return record["note"] or ("official files" if record["official"] else "own files")


def _origin(record: Mapping[str, Any]) -> str:
    lines = "".join(f"{md5}  {file}\n" for file, md5 in sorted(record["md5"].items()))
    return f"{record['name']}: {_files(record)}, checksums {hashlib.md5(lines.encode()).hexdigest()[:8]}"
