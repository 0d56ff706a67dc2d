"""The tour is run by nbmake (pyproject.toml), and shows on GitHub what running it gave."""

import json
import re

import pytest

from tests.machine import ROOT

NOTEBOOK = ROOT / "notebooks" / "tour.ipynb"
CELLS = json.loads(NOTEBOOK.read_text())["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]
OUTPUTS = [output for cell in CODE for output in cell["outputs"]]


def test_it_was_run_from_top_to_bottom_without_an_error_or_a_warning():
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    assert {output["output_type"] for output in OUTPUTS} <= {"display_data", "execute_result", "stream"}
    assert all(output.get("name") != "stderr" for output in OUTPUTS)


def test_its_pictures_and_numbers_are_stored():
    drawn = ["".join(cell["source"]).count("plt.subplots") for cell in CODE]
    stored = [sum("image/png" in output.get("data", {}) for output in cell["outputs"]) for cell in CODE]
    assert stored == drawn and sum(drawn) >= 6  # pictures
    printed = [bool(re.search(r"\b(print|end)\(", "".join(cell["source"]))) for cell in CODE]
    assert printed == [any(output["output_type"] == "stream" for output in cell["outputs"]) for cell in CODE]


def test_it_is_small_and_names_no_machine():
    text = NOTEBOOK.read_text()
    assert len(text) < 1_000_000
    assert str(ROOT) not in text and "/home/" not in text


def test_algorithm_1_fits_into_fifteen_lines():
    (source,) = ("".join(cell["source"]) for cell in CODE if "def algorithm_1" in "".join(cell["source"]))
    assert len([line for line in source.splitlines() if line.strip()]) <= 15


def test_links_lead_somewhere():
    text = "".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
    links = [part.split(")")[0] for part in text.split("](")[1:]]
    assert all(link.startswith("https:") or (NOTEBOOK.parent / link).exists() for link in links) and links


def test_it_is_among_the_tests(pytestconfig: pytest.Config):
    assert "notebooks" in pytestconfig.getini("testpaths")
    assert pytestconfig.getoption("nbmake")
