"""The live view shows what is recorded, and its absence is said in one line."""

import pandas as pd
import pytest

from homotopy import config
from homotopy.errors import ConfigError
from homotopy.results import folder
from homotopy.training import runner


def test_tensorboard_shows_the_recorded_curves(tiny):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    watched = tiny("runtime.logger=tensorboard", "seeds=2", "log_every=4")
    runs = folder.RunFolder(runner.run(watched)).runs()
    (logged,) = (watched.results / ".tensorboard").glob("smoke/*/*/seeds-0-1")
    shown = EventAccumulator(str(logged))
    shown.Reload()
    for seed in (0, 1):
        curve = runs[runs["seed"] == seed]
        scalars = shown.Scalars(f"target_loss/seed {seed}")
        assert [s.step for s in scalars] == curve["epoch"].tolist()
        assert [s.value for s in scalars] == pytest.approx(curve["target_loss"].tolist(), rel=1e-5)
    assert "median/test_loss" in shown.Tags()["scalars"]


def test_it_changes_no_result(tiny, tmp_path):
    pytest.importorskip("tensorboard")
    plain, watched = tiny("seeds=2"), tiny("seeds=2", "runtime.logger=tensorboard", f"results.root={tmp_path}")
    expected, found = (folder.RunFolder(runner.run(each)).runs() for each in (plain, watched))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_without_tensorboard_one_line_says_so(tiny, monkeypatch):
    monkeypatch.setattr(config.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="runtime.logger=tensorboard: must be none, as tensorboard is not installed"):
        tiny("runtime.logger=tensorboard")
    assert tiny().runtime.logger == "none"
