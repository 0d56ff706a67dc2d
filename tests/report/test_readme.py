"""What the README tells a newcomer to do works."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from homotopy import compose

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


def test_the_default_is_the_setting_that_the_map_chose():
    (raw,) = compose.jobs([])
    chosen = pd.read_csv(ROOT / "results/paper/map/choice.csv").query("chosen").iloc[0]
    default = (raw["model"]["init"], raw["task"]["noise"], raw["batch_size"])
    assert default == (chosen["init"], chosen["noise"], chosen["batch_size"])
