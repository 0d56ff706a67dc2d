"""The table of what Figures 3a and 3b come to, on made-up results."""

from pathlib import Path

import pytest

from homotopy.figures import fig3
from homotopy.report import finals, rules
from homotopy.results.library import Library, Place
from tests.made import save_experiment

BOOK = rules.read()


def test_each_method_has_the_medians_of_what_the_claims_measure(tmp_path):
    place = Place(tmp_path, "smoke")
    save_experiment("fig3a", place, lambda of, seed: {"homotopy": 0.3}.get(of.method.name, 0.5), seeds=1)
    library = Library(place)
    found = finals.table(library, BOOK).set_index("method")
    assert list(found.index) == ["random", "warmstart", "homotopy"] and set(found["experiment"]) == {"fig3a"}
    area = (0.5 * 0.3) ** 0.5  # recorded are the first epoch, with 0.5, and the last
    assert found.loc["homotopy", ["area", "loss"]].to_list() == pytest.approx([area, 0.3])
    threshold = next(claim.threshold for claim in BOOK.claims if claim.id == "fashion-faster")
    assert 0.3 < threshold < 0.5  # to which the homotopy comes at the end and the others never
    assert found.loc["homotopy", "epochs"] == library.results("fig3a")[0].config.epochs and found.loc[
        "random", "epochs"
    ] == float("inf")
    lines = finals.text(finals.table(library, BOOK)).splitlines()
    assert len(lines) == 2 + 3 and all("| 1 of 2 |" in line for line in lines[2:])


def test_without_results_there_is_no_table():
    assert finals.text(finals.table(Library(Place(Path("none"), "smoke")), BOOK)) == "No results yet.\n"


def test_the_figure_s_ends_are_settled_as_the_claims_on_them_say():
    ends = {claim.settled for claim in BOOK.claims if "loss" in (claim.measures or [])}
    assert ends == {fig3.SETTLED}
