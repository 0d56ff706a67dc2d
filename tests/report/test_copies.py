"""Results on the official data and on another copy of them: both are found, and never mixed."""

import re
from pathlib import Path

import numpy as np
import pytest

from homotopy.compose import jobs
from homotopy.config import from_dict
from homotopy.errors import ResultError
from homotopy.report import tables
from homotopy.results.library import Library, Place, experiment
from scripts import reproduce
from tests.made import save

ROOT = Path(__file__).parents[2]
METHODS = ("random", "warmstart", "homotopy")


def save_fig3b(place, images, loss, *methods):
    options = [f"profile={place.profile}", f"results.root={place.results}", f"task.images={images}"]
    for raw in jobs(["experiment=fig3b", *options]):
        if raw["method"]["name"] in methods:
            save(from_dict(raw), lambda config, seed: loss, seeds=2)


def shown(place):
    """Return what figures and report read of fig3b: each configuration's images and its seeds' final losses."""
    return [(r.config.task.images, r.final("target_loss").tolist()) for r in Library(place).results("fig3b")]


def test_unofficial_results_are_read_until_there_are_official_ones_and_never_with_them(tmp_path):
    place = Place(tmp_path, "paper")
    save_fig3b(place, "unofficial", 0.2, *METHODS)
    assert shown(place) == [("unofficial", [0.2, 0.2])] * 3
    save_fig3b(place, "official", 0.1, "random")
    with pytest.raises(ResultError, match="2 of 3 configurations have no result"):
        experiment("fig3b", place)
    save_fig3b(place, "official", 0.1, *METHODS)
    assert shown(place) == [("official", [0.1, 0.1])] * 3
    assert {path.name for path in place.folder.iterdir()} == {"mnist-cifar10", "mnist-cifar10-unofficial"}


def test_without_any_results_the_official_ones_are_asked_for(tmp_path):
    place = Place(tmp_path, "paper")
    assert [r.config.task.images for r in Library(place).results("fig3b")] == ["official"] * 3
    with pytest.raises(ResultError, match=re.escape(f"experiment=fig3b profile=paper results.root={tmp_path}") + "$"):
        experiment("fig3b", place)


def test_what_is_embedded_has_no_unofficial_copy(tmp_path):
    place = Place(tmp_path, "smoke")
    save_fig3b(place, "unofficial", 0.2, *METHODS)
    assert all(r.curves.empty for r in Library(place).results("fig3b"))


def test_the_report_counts_the_runs_that_it_reads(tmp_path):
    place = Place(tmp_path, "paper")
    save_fig3b(place, "unofficial", 0.2, *METHODS)
    (row,) = tables.completeness(Library(place), ["fig3b"]).to_dict("records")
    assert (row["done"], row["runs"], row["configurations"]) == (6, 30, 3)


@pytest.mark.parametrize(
    "name", ["fig3a", "first_fashion", "first_cifar", "search_fashion", "search_cifar", "sensitivity_pairing"]
)
def test_the_committed_results_are_found(name):
    found = Library(Place(ROOT / "results", "paper")).results(name)
    assert all(r.seeds >= 2 for r in found)
    images = {data["official"] for r in found for data in r.data}
    assert images == ({True, False} if "unofficial" in found[0].config.task.label else {True})
    assert all(np.isfinite(r.final("target_loss")).all() for r in found)


def test_only_profile_paper_downloads():
    for profile in ("smoke", "quick", "paper"):
        assert (["scripts/data.py"] in reproduce.steps(profile, "results")) == (profile == "paper")
