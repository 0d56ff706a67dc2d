"""Markdown as one HTML page that needs no other file; its frame is page.html beside this file."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

_FRAME = Path(__file__).with_suffix(".html")


def page(markdown: str, title: str, folder: Path) -> str:
    """Return the page with its images, found in `folder`, inside; figures that it links to stand at its end."""
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    linked = dict.fromkeys(re.findall(r'href="figures/(\w+)\.png"', body))
    body = re.sub(r'href="figures/(\w+)\.png"', r'href="#figure-\1"', body)
    if linked:
        body += "<h2>Figures</h2>\n"
        body += "".join(f'<p id="figure-{name}">{name}<br><img src="figures/{name}.png"></p>\n' for name in linked)
    body = re.sub(r'src="([^"]+\.png)"', lambda found: f'src="{_inlined(folder / found[1])}"', body)
    return Template(_FRAME.read_text()).substitute(title=html.escape(title), body=body)


def _inlined(image: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(image.read_bytes()).decode()}"
