"""docs/extending.md: every block works as it is written, one after the other, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.machine import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text()


class Block(NamedTuple):
    language: str
    text: str
    before: str  # the last words before it


def blocks() -> list[Block]:
    parts = re.split(r"^```(\w+)\n(.*?)^```\n", PAGE, flags=re.S | re.M)
    return [Block(*found, before) for before, *found in zip(parts[::3], parts[1::3], parts[2::3], strict=False)]


def do(block: Block, root: Path) -> str:
    """Write the file that the words before a block name at their end, or run it; return what it prints."""
    if file := re.search(r"(Append to|Write)\s`([\w/.]+)`:\s*$", block.before):
        with open(root / file[2], "a" if file[1] == "Append to" else "x") as target:
            target.write(block.text)
        return ""
    commands = {"python": [sys.executable, "-"], "sh": ["bash", "-e"]}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PATH": path, "PYTHONPATH": str(root)}
    done = subprocess.run(
        commands[block.language], input=block.text, cwd=root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{block.text}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    copy = tmp_path_factory.mktemp("repository")
    for folder in ("conf", "homotopy", "scripts"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_every_block_does_what_the_page_says(root):
    printed = "\n".join(do(block, root) for block in blocks())
    losses = re.findall(r"^(.+): train loss on the target [\d.e-]+ after \d+ epochs, n = \d+$", printed, re.M)
    assert [losses.count(method) for method in ("random init.", "warm start", "homotopy")] == [1, 2, 5]
    assert len(list((root / "results/quick/chirp").glob("*/runs.csv.gz"))) == 3
    assert len(list((root / "results" / "smoke").glob("*/*/network-*.safetensors"))) == 4  # two of each run that saves


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE)
    assert links and all((ROOT / "docs" / link).exists() for link in links)
