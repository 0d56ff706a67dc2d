"""What the README tells a newcomer to do works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from homotopy import compose
from homotopy.figures import map
from homotopy.results import library

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_the_worked_example_of_a_new_schedule(tmp_path):
    for folder in ("conf", "homotopy", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    section = README[README.index("## Adding to it") :]
    function = re.search(r"```python\n(.*?)```", section, re.S).group(1)
    yaml = re.search(r"```yaml\n(.*?)```", section, re.S).group(1)
    command = re.search(r"`python (scripts/train\.py [^`]*)`", section).group(1)
    module = tmp_path / "homotopy" / "algorithm" / "schedules.py"
    text = module.read_text().replace("import itertools\n", "import itertools\nimport math\n")
    module.write_text(text + function)
    (tmp_path / "conf" / "schedule" / "cosine_steps.yaml").write_text(yaml)
    small = ["profile=smoke", "task.samples=60", "batch_size=16", "model.width=8", "model.depth=2", "seeds=1"]
    done = subprocess.run(
        [sys.executable, *command.split(), *small],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(tmp_path)},  # not what is installed
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (runs,) = tmp_path.glob("results/smoke/*/*/config.yaml")
    assert runs.read_text().count("- false") == 20  # steps of the path


def test_every_link_into_the_repository_leads_somewhere():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_map_s_table_follows_from_the_committed_runs():
    found = map.table(library.Library(library.Place(ROOT / "results", "paper")).results("map"))
    assert map.text(found) == (ROOT / "results/paper/map/map.md").read_text()


def test_the_default_is_the_setting_that_the_map_chose():
    (raw,) = compose.jobs([])
    chosen = pd.read_csv(ROOT / "results/paper/map/choice.csv").query("chosen").iloc[0]
    default = (raw["model"]["init"], raw["task"]["noise"], raw["batch_size"])
    assert default == (chosen["init"], chosen["noise"], chosen["batch_size"])
