"""Random streams: every random draw of a run is a function of its seed, a purpose and an index.

Nothing needs to be saved to resume a run, seeds do not depend on which others train beside them, and methods
that share a seed share its data, its initialisation and the order of its epochs.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for. The numbers are part of every result: never renumber."""

    DATA = 0
    INITIALISATION = 1
    SHUFFLING = 2
    PAIRING = 3
    SOURCE_SHUFFLING = 4
    FILTER = 6
    THEORY = 7
    BOOTSTRAP = 8


def generator(seed: int, purpose: Purpose, *index: int) -> np.random.Generator:
    """Return the stream of `purpose` for run `seed`; `index` (an epoch, say) selects an independent part of it."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy=seed, spawn_key=(int(purpose), *index))))
