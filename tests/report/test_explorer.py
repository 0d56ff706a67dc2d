"""The explorer shows the saved snapshots and losses of the run that is chosen, in a browser, without a network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from homotopy.report.explorer import explorer, saved_runs
from homotopy.report.page import page
from homotopy.results import snapshots
from homotopy.results.folder import RunFolder
from homotopy.results.methods import METHODS
from homotopy.training.runner import run
from homotopy.training.snapshots import take

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
# what a reader does, one thing after another, and what is then shown
DO = """<script>
addEventListener("error", (event) => { document.body.dataset.error = event.message; });
const wait = setInterval(async () => {
  if (!("drawn" in document.getElementById("explorer").dataset)) return;
  clearInterval(wait);
  const named = (name) => Bokeh.documents.at(-1).get_model_by_name(name);
  const seen = [];
  const see = async (what, change) => {
    change();
    await new Promise((go) => setTimeout(go, 200));  // what Bokeh then calls it calls later
    const [x, y] = ["x", "y"].map((axis) => Array.from(named("network").get_column(axis)));
    const lengths = ["objective", "loss of random"].map((name) => named(name).get_column("x").length);
    seen.push({what, x, y, lengths, epoch: named("epoch").value, lam: named("lam").value, said: named("said").text});
  };
  await see("the start", () => {});
  await see("dragging the epoch", () => { named("epoch").value = 30; });
  await see("dragging lambda", () => { named("lam").value = 0.4; });
  await see("another method", () => { named("method").active = 1; });
  await see("another seed", () => { named("rank").active = 2; });
  await see("another omega, which lacks the seed", () => { named("omega").active = 0; });
  document.body.dataset.seen = JSON.stringify(seen);
}, 50);
</script>"""


@pytest.fixture
def folder(tiny) -> Path:
    """Return a profile's folder with runs and snapshots of two tasks; on omega 12 some of the median seed alone."""
    for omega, seeds in (("137", (0, 1, 2)), ("12", (0,))):
        for method in METHODS:
            config = tiny("seeds=3", "budget.k=5", f"method={method}", f"task.omega={omega}")
            run(config)
            for seed, taken in take(config, seeds).items():
                snapshots.write(snapshots.path(config, seed), taken)
    return config.results / config.profile


def of(folder: Path, method: str, rank: str):
    (found,) = (each for each in saved_runs(folder) if (each.omega, each.method, each.rank) == (137, method, rank))
    return found


def test_it_has_the_runs_of_the_ranked_seeds_that_were_taken(folder):
    runs = saved_runs(folder)
    assert len([each for each in runs if each.omega == 137]) == 9
    assert {each.seed for each in runs if each.omega == 12} <= {0}
    homotopy = {rank: of(folder, "homotopy", rank) for rank in ("best", "median", "worst")}
    assert sorted(each.seed for each in homotopy.values()) == [0, 1, 2]
    losses = [np.median(each.losses[each.epochs > 51 - 51 / 5]) for each in homotopy.values()]
    assert losses == sorted(losses)
    rows = RunFolder(next((folder / "sine-omega137").glob("warmstart-*"))).runs()
    expected = rows[rows["seed"] == homotopy["worst"].seed]["target_loss"].tolist()
    assert of(folder, "warmstart", "worst").losses.tolist() == expected


def test_the_same_snapshots_give_the_same_page_and_none_give_none(folder, tmp_path):
    assert explorer(folder) == explorer(folder)
    assert explorer(tmp_path / "empty") == ""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium to open the page with")
def test_a_reader_sees_what_was_saved(folder, tmp_path):
    file = tmp_path / "page.html"
    whole, end, _ = page("# Report\n\n## Results\n\n**partly** so.\n", "Report", folder).rpartition("</body>")
    file.write_text(whole + DO + end)
    command = [str(BROWSER), "--headless", *QUIET, f"--user-data-dir={tmp_path / 'user'}"]
    opened = subprocess.run(
        [*command, "--virtual-time-budget=20000", "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    body = re.search(r"<body([^>]*)>", opened.stdout)
    assert body and "data-error" not in body[1]
    found = re.search(r'data-seen="([^"]*)"', body[1])
    assert found, opened.stderr[-2000:]
    start, epoch, lam, method, seed, omega = json.loads(found[1].replace("&quot;", '"'))
    cases = [
        (start, of(folder, "homotopy", "median"), 25, 0.5),
        (epoch, of(folder, "homotopy", "median"), 25, 0.5),
        (lam, of(folder, "homotopy", "median"), 0, 0.0),
        (method, of(folder, "warmstart", "median"), 0, 0.0),
        (seed, of(folder, "warmstart", "worst"), 0, 0.0),
    ]
    for seen, expected, at, of_path in cases:
        (y,) = expected.taken.y[expected.taken.epochs == at]
        assert seen["lam"] == of_path, seen["what"]
        np.testing.assert_allclose(seen["x"], expected.taken.x)
        np.testing.assert_allclose(seen["y"], y, atol=0.0051, err_msg=seen["what"])
        assert f"Seed {expected.seed}:" in seen["said"]
        assert seen["lengths"] == [2001 if expected.method == "homotopy" else 0, len(expected.epochs)]
    if ("12", "worst") not in {(f"{each.omega:g}", each.rank) for each in saved_runs(folder)}:
        assert omega["y"] == [] and omega["lengths"] == [0, 0]
