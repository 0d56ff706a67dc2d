"""The README's numbers are those of the committed results, and cannot go stale."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from homotopy.errors import ResultError
from homotopy.report import documents
from homotopy.results.library import Library, Place
from tests.made import save_experiment

ROOT = Path(__file__).parents[2]
LOSSES = {"random": 0.2, "warmstart": 0.1, "homotopy": 0.001}


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("results"), "quick")
    save_experiment("fig1", place, lambda config, seed: LOSSES[config.method.name], seeds=3)
    frame = pd.DataFrame({"name": ["a", "b", "b"], "noise": [0.1, 0.01, 0.1], "loss": [1.0, 0.01234, 3.0]})
    frame.to_csv(place.folder / "some.csv", index=False)
    (place.results / "bench").mkdir()
    rows = [["a loop", {"median": 10.7, "q25": 1.0, "q75": 99.0}, 3], ["images", "other", 6], ["images", "a loop", 5.0]]
    bench = {"sections": [{"name": "speed", "rows": rows}]}
    (place.results / "bench" / "some-machine.json").write_text(json.dumps(bench))
    return documents.Values(Library(place))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("claim.sine-lowest.verdict", "open (indicative)"),
        ("claim.sine-lowest.holds", "0 of 8"),
        ("claim.sine-lowest.least", "100"),
        ("claim.sine-lowest.most", "200"),
        ("claim.sine-lowest.omega 137, against warmstart.value", "100"),
        ("claim.sine-lowest.omega 137, against warmstart.interval", "100"),
        ("claim.sine-lowest.omega 137, against warmstart.paired", "100 [0, infinite]"),
        ("claim.sine-lowest.omega 137, against warmstart.better", "1 [0.146, 1]"),
        ("claim.sine-lowest.omega 137, against warmstart.literal", "100"),
        ("claim.sine-lowest.omega 137, against warmstart.n", "3 of 4"),
        ("claim.sine-lowest.omega 137.theirs", "0.2"),
        ("claim.sine-lowest.omega 95.outcome", "open"),
        ("claim.sine-lowest.omega 95.n", "0 of 4"),
        ("loss.fig1.sine-omega74.homotopy", "0.001"),
        ("seeds.fig1", "3"),
        ("runs.fig1", "18 of 24"),
        ("csv some.csv [name=b] loss", "0.0123"),
        ("csv some.csv [name=b, noise=0.1] loss", "3"),
        ("csv some.csv [name=b] count", "2"),
        ("csv some.csv [] count", "3"),
        ("bench some-machine speed [a loop] 1", "10.7"),
        ("bench some-machine speed [a loop] 2", "3"),
        ("bench some-machine speed [images / other] 1", "6"),
        ("bench some-machine speed [images / *] 1", "5"),
    ],
)
def test_keys(values, key, value):
    assert values[key] == value


@pytest.mark.parametrize(
    "key",
    ["nothing", "claim.nothing.verdict", "claim.sine-lowest.omega 9.value", "claim.sine-lowest.omega 95.value",
     "claim.sine-lowest.omega 137.p",
     "loss.fig1.sine-omega9.homotopy", "table.nothing", "csv none.csv [] loss", "csv some.csv [x=1] loss",
     "csv some.csv [name=c] loss", "bench none speed [a loop] 1", "bench some-machine size [a loop] 1",
     "bench some-machine speed [a loop] 3", "bench some-machine speed [images] 1"],
)  # fmt: skip
def test_a_key_that_means_nothing_is_one_line(values, key):
    with pytest.raises(ResultError, match="value"):
        values[key]


def test_stale_values_are_found_and_mended(values):
    text = "n = <!-- value: seeds.fig1 -->2<!-- /value -->, of <!-- value: csv some.csv [] count -->3<!-- /value -->."
    assert documents.stale(text, values, ROOT) == ["seeds.fig1: shows '2', the results say '3'"]
    assert documents.stale(documents.updated(text, values, ROOT), values, ROOT) == []
    assert documents.updated(text, values, ROOT).startswith("n = <!-- value: seeds.fig1 -->3<!-- /value -->, of")


def test_tables_of_verdicts(values):
    claims, questions = (values[f"table.{name}"].splitlines() for name in ("verdicts", "questions"))
    assert claims[1] == "|  | claim | ours | verdict |" and questions[1] == "| claim | ours | verdict |"
    assert claims[3].startswith("| 1 | With the same epochs") and claims[3].endswith("| **open (indicative)** |")
    assert questions[3].startswith("| The homotopy needs fewer epochs")


def test_a_file_is_put_into_an_empty_block_and_no_other(values, tmp_path):
    (tmp_path / "a.md").write_text("one\n")
    (tmp_path / "b.md").write_text("two\n")
    text = "<!-- begin a.md -->\n<!-- end -->\nbetween\n<!-- begin b.md -->\ntwo\n<!-- end -->\n"
    assert documents.stale(text, values, tmp_path) == ["a.md: has changed"]
    mended = documents.updated(text, values, tmp_path)
    assert mended == text.replace("a.md -->\n", "a.md -->\none\n")


def test_included_files_are_those_beside_the_readme(values, tmp_path):
    text = "before\n<!-- begin a.md -->\n| old |\n<!-- end -->\nafter"
    with pytest.raises(ResultError, match=r"a\.md: there is no"):
        documents.stale(text, values, tmp_path)
    (tmp_path / "a.md").write_text("| new |\n")
    assert documents.stale(text, values, tmp_path) == ["a.md: has changed"]
    mended = documents.updated(text, values, tmp_path)
    assert mended == "before\n<!-- begin a.md -->\n| new |\n<!-- end -->\nafter"
    assert documents.stale(mended, values, tmp_path) == []


def test_the_script(values, tmp_path):
    path = tmp_path / "README.md"
    path.write_text("<!-- value: csv some.csv [] count -->7<!-- /value -->")
    place = values._library.place

    def run(mode):
        options = [f"results.root={place.results}", "profile=quick", f"file={path}"]
        return subprocess.run(
            [sys.executable, "scripts/readme.py", mode, *options], cwd=ROOT, capture_output=True, text=True
        )

    assert run("--check").returncode == 1
    assert run("--write").returncode == 0
    assert run("--check").returncode == 0
    assert run("--mend").returncode == 2


def test_the_documents_show_the_committed_results():
    values = documents.Values(Library(Place(ROOT / "results", "paper")))
    for path in documents.documents():
        assert documents.stale(path.read_text(), values, path.parent) == []
