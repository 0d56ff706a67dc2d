"""The report's page: contents, verdicts in colour, links that lead somewhere."""

from __future__ import annotations

import re

import pytest

from homotopy.figures.looks import COLOURS
from homotopy.report import page as pages
from homotopy.report.page import page

TEXT = """# Title

## What we found

| claim | verdict |
| --- | --- |
| 1 | **reproduced so far** |
| 2 | **not reproduced**; no matter |
| ours | **no** |

It is **notable** that **nothing** else is coloured. [more](#first)

<a id="first"></a>

<details><summary>first: partly (indicative)</summary>

words

</details>

### Is it fair?

## And then
"""


@pytest.fixture
def made(tmp_path) -> str:
    return page(TEXT, "A & B", tmp_path)


def test_its_contents_lead_to_its_sections(made):
    contents = re.search(r"<nav.*?</nav>", made, re.DOTALL)[0]
    assert re.findall(r'<a href="#([^"]+)">([^<]+)</a>', contents) == [
        ("what-we-found", "What we found"),
        ("and-then", "And then"),
    ]
    for name in ("what-we-found", "is-it-fair", "and-then"):
        assert made.count(f'id="{name}"') == 1


def test_verdicts_and_nothing_else_have_a_colour(made):
    assert re.findall(r'class="verdict (\w+)">([^<]+)<', made) == [
        ("yes", "reproduced so far"),
        ("no", "not reproduced"),
        ("no", "no"),
        ("partly", "partly (indicative)"),
    ]


def test_every_verdict_s_colour_is_none_of_a_method_s():
    style = pages._FRAME.read_text()
    colours = {
        name: re.search(rf"^\.{name} {{ background: (#\w+)", style, re.MULTILINE)[1] for name in pages.VERDICTS.values()
    }
    assert len(set(colours.values())) == len(colours) == 4
    for colour in colours.values():
        for method in COLOURS.values():
            assert max(abs(a - b) for a, b in zip(_rgb(colour), _rgb(method), strict=True)) > 48, (colour, method)


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
