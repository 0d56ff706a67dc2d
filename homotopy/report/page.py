"""Markdown as one HTML page that needs no other file; its frame is page.html beside this file.

The page has what the Markdown cannot: contents, verdicts in colour, the figures themselves and the explorer.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image

from homotopy.report.explorer import explorer
from homotopy.report.overview import small_png

_FRAME = Path(__file__).with_suffix(".html")
# by the word that a verdict begins with, its class: page.html gives each a sign, and a colour that no method has
VERDICTS = {"reproduced": "yes", "yes": "yes", "partly": "partly", "not reproduced": "no", "no": "no", "open": "open"}
_WORD = "|".join(sorted(VERDICTS, key=len, reverse=True))
_EXPLORER = """<h2 id="explorer-of-runs">Watch them learn</h2>
<p>What a network computes, over its target, and the losses of the same seed's three runs. Drag the epoch, or the
homotopy's lambda.</p>
"""


def page(markdown: str, title: str, folder: Path) -> str:
    """Return the page with its images, found in `folder`, inside; figures that it links to stand at its end.

    What was saved of networks in `folder` can be explored before them.
    """
    body, sections = _rendered(markdown)
    linked = dict.fromkeys(re.findall(r'href="figures/(\w+)\.png"', body))
    parts = [_with_images(re.sub(r'href="figures/(\w+)\.png"', r'href="#figure-\1"', body), folder)]
    if explored := explorer(folder):
        parts += [_EXPLORER, explored]
        sections.append(("explorer-of-runs", "Watch them learn"))
    if linked:
        shown = "".join(f'<p id="figure-{name}">{name}<br><img src="figures/{name}.png"></p>\n' for name in linked)
        parts += ['<h2 id="figures">Figures</h2>\n', _with_images(shown, folder)]
        sections.append(("figures", "Figures"))
    frame = Template(_FRAME.read_text())
    return frame.substitute(title=html.escape(title), contents=_contents(sections), body="".join(parts))


def _rendered(markdown: str) -> tuple[str, list[tuple[str, str]]]:
    """Return Markdown as HTML with verdicts in colour, and the id and text of each section (heading of level 2)."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(markdown)
    sections = _named(tokens)
    body = parser.renderer.render(tokens, parser.options, {})
    body = re.sub(rf"<strong>({_WORD})\b", lambda found: f'<strong class="{_class(found[1])}">{found[1]}', body)
    end = rf"(<summary>[^<]*?: )(({_WORD})\b[^<]*)</summary>"
    body = re.sub(end, lambda found: f'{found[1]}<span class="{_class(found[3])}">{found[2]}</span></summary>', body)
    return body, sections


def _named(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """Give headings of level 2 and 3 the ids that GitHub gives them; return those of level 2 and their texts."""
    sections = []
    for token, inline in zip(tokens, tokens[1:], strict=False):
        if token.type == "heading_open" and token.tag in ("h2", "h3"):
            name = re.sub(r"[^\w\- ]", "", inline.content.lower()).replace(" ", "-")
            token.attrSet("id", name)
            if token.tag == "h2":
                sections.append((name, inline.content))
    return sections


def _class(word: str) -> str:
    return f"verdict {VERDICTS[word]}"


def _contents(sections: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f'<li><a href="#{name}">{html.escape(text)}</a></li>' for name, text in sections)


def _with_images(body: str, folder: Path) -> str:
    return re.sub(r'src="([^"]+\.png)"', lambda found: f'src="{_inlined(folder / found[1])}"', body)


def _inlined(file: Path) -> str:
    """Return an image as an address that holds it."""
    with Image.open(file) as image:
        return f"data:image/png;base64,{base64.b64encode(small_png(image)).decode()}"
