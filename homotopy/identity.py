"""What names a configuration for good: the digest of its settings, which ends the name of its result folder."""

from __future__ import annotations

import hashlib
import json
from typing import Any

SCHEMA = 1  # version of the result files' layout; part of every identity


def digest(identity: Any) -> str:
    """Return the first eight hexadecimal digits of the SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]
