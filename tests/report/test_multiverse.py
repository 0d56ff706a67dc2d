"""The map's count on made-up results, and the summary's sentences on it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from homotopy import compose, config
from homotopy.report import abstract, multiverse, rules
from homotopy.report.multiverse import MapCount
from homotopy.results.library import Library, Place
from homotopy.results.unstated import Setting, setting
from tests.made import save

BOOK = rules.read()
CLAIMS = {claim.id: claim for claim in BOOK.claims}
DEFAULT = Setting("pytorch_default", 0.01, 128)
OTHER = Setting("he_zero_bias", 0.1, 512)
LATER = Setting("pytorch_default", 0.1, 128)

# settled losses by setting and omega: random initialisation, warm start, homotopy
LOSSES = {
    (DEFAULT, 74): (2.0, 1.25, 1.0),
    (DEFAULT, 137): (90.0, 40.0, 1.0),
    (OTHER, 74): (2.0, 1.2, 1.0),
    (OTHER, 137): (9.0, 9.0, 1.0),
    (LATER, 137): (9.0, 9.0, 1.0),  # not run at omega 74
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("results"), "paper")  # whose runs outlast the window of a settled loss
    for raw in compose.jobs(["experiment=map", "profile=paper", f"results.root={place.results}"]):
        of = config.from_dict(raw)
        losses = LOSSES.get((setting(of), of.task.omega))
        if losses:
            loss = dict(zip(("random", "warmstart", "homotopy"), losses, strict=True))[of.method.name]
            save(of, lambda config, seed, loss=loss: loss)
    return Library(place)


@pytest.mark.parametrize(
    ("name", "run", "holds", "default", "other"),
    [
        ("sine-lowest", 2, 1, 1.25, 1.2),  # every comparison has to reach the margin
        ("across-omega", 2, 1, 1.25, 1.2),
        ("hard-tasks", 3, 3, 40, 9),  # of its omegas the map has 137
        ("easy-tasks", 2, 1, 1.25, 1.2),
        ("two-orders", 2, 1, 40, 9),  # one comparison suffices
    ],
)
def test_a_setting_shows_a_claim_where_its_ratios_reach_the_margin(library, name, run, holds, default, other):
    found = multiverse.count(CLAIMS[name], library, BOOK)
    assert (found.run, found.holds, len(found.ratios)) == (run, holds, 12)
    assert (found.ratios[DEFAULT], found.ratios[OTHER]) == pytest.approx((default, other))
    assert found.default == DEFAULT and found.shows(DEFAULT) and found.shows(OTHER) == (other >= found.margin)


def test_claims_that_the_map_does_not_touch_have_no_count(library):
    for name in ("cifar-ahead", "limiting-case", "bounds", "annealed"):  # the map has no annealing
        assert multiverse.count(CLAIMS[name], library, BOOK) is None


def test_only_omegas_of_the_map_are_compared():
    assert multiverse.on_the_map(CLAIMS["sine-lowest"], [74, 137]).each == {"task.omega": [74, 137]}
    assert multiverse.on_the_map(CLAIMS["two-orders"], [74, 137]).each == {"task.omega": [74, 137]}
    assert multiverse.on_the_map(CLAIMS["hard-tasks"], [74, 137]).pooled == {"task.omega": [137]}
    assert multiverse.on_the_map(replace(CLAIMS["sine-lowest"], each={"task.omega": [95]}), [74, 137]) is None


def test_the_summary_sets_noise_and_batch_beside_the_default():
    ratios = {DEFAULT: 24.0, LATER: 6.0, DEFAULT._replace(batch_size=512): None, OTHER: 1.0}
    (said,) = abstract.dependence({"hard-tasks": MapCount(ratios, 1.25, DEFAULT)})
    assert "In 2 of its 3 settings that were run, of 4," in said
    assert "at least 1.25 times the homotopy's (PyTorch's initialisation 2 of 2; He's 0 of 1)" in said
    assert "the factor is 24 on the map's seeds." in said
    assert "With noise of standard deviation 0.1 (the paper's number read as a variance)" in said
    assert "0.01 the factor is 6; with batches of 512 instead of 128 the factor is not known." in said
    assert "not run" in abstract.dependence({})[0]


def test_without_results_the_headline_says_so():
    library = Library(Place(Path("nowhere"), "smoke"))
    table = abstract.solved(library, BOOK)
    assert table.empty and "No run" in abstract.headline(table, BOOK)
    assert np.isfinite(abstract.spent(library.place).hours)
