"""The line under a figure that says which image data it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any


def origins(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return for each data set its name, whether its files are the official ones, and a digest of their checksums.

    The digest is the md5's first eight digits of what `md5sum` prints for its files in the order of their names.
    A record is a `homotopy.tasks.datasets.Provenance` as metadata holds it; those that are alike give one entry.
    """
    return list(dict.fromkeys(_origin(record) for record in records))


def _origin(record: Mapping[str, Any]) -> str:
    files = record["note"] or ("official files" if record["official"] else "own files")
    lines = "".join(f"{md5}  {file}\n" for file, md5 in sorted(record["md5"].items()))
    return f"{record['name']}: {files}, checksums {hashlib.md5(lines.encode()).hexdigest()[:8]}"
