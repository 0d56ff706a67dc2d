"""What the README tells a newcomer to do works."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from homotopy import compose
from homotopy.report import unstated
from homotopy.results import library

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_link_into_the_repository_leads_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        links = [
            link
            for link in re.findall(r"\]\(([^)#]+)[)#]", page.read_text())
            if not link.startswith(("http", "../../actions"))
        ]
        assert [link for link in links if not (page.parent / link).exists()] == [], page


def test_the_map_s_table_follows_from_the_committed_runs():
    found = unstated.table(library.Library(library.Place(ROOT / "results", "paper")).results("map"))
    assert unstated.text(found) == (ROOT / "results/paper/map/map.md").read_text()


def test_the_default_is_the_setting_that_the_map_chose():
    (raw,) = compose.jobs([])
    chosen = pd.read_csv(ROOT / "results/paper/map/choice.csv").query("chosen").iloc[0]
    default = (raw["model"]["init"], raw["task"]["noise"], raw["batch_size"])
    assert default == (chosen["init"], chosen["noise"], chosen["batch_size"])
