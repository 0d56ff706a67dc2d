"""What several tests of figures draw."""

from __future__ import annotations

import pytest

from homotopy.results.library import Place
from tests.made import save_experiment


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Place:
    """Return a place with made-up runs of Figure 1."""
    made = Place(tmp_path_factory.mktemp("results"), "smoke")
    save_experiment("fig1", made, lambda config, seed: 0.1 + 0.01 * seed)
    return made
