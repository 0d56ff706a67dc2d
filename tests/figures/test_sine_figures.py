"""Figures of the sine study: from files alone, deterministic, and clear about what is missing."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from homotopy import compose
from homotopy.config import from_dict
from homotopy.errors import ResultError
from homotopy.figures import omega_gamma
from homotopy.figures.registry import FIGURES
from homotopy.report import unstated
from homotopy.results import library
from homotopy.results.folder import RunFolder
from homotopy.results.library import Place, Result
from tests.made import save


def test_the_same_results_give_the_same_bytes(place):
    first = {path: path.read_bytes() for path in FIGURES["fig1"](place)}
    assert {path.suffix for path in first} == {".png", ".pdf"}
    assert {path: path.read_bytes() for path in FIGURES["fig1"](place)} == first


def test_missing_results_are_named_with_the_command_that_makes_them(place):
    with pytest.raises(ResultError, match="python scripts/train.py experiment=fig8 profile=smoke"):
        FIGURES["fig8"](place)


def test_a_task_that_one_method_lacks_is_left_out_and_named(place, tmp_path):
    shutil.copytree(place.results, tmp_path, dirs_exist_ok=True)
    partial = Place(tmp_path, "smoke")
    (complete, note), (also_complete, nothing) = library.tasks("fig2a", partial), library.tasks("fig1", partial)
    assert [{r.config.task.omega for r in group} for group in complete] == [{74}, {137}]
    assert "95" in note and "137" not in note and nothing == "" and len(also_complete) == 2
    shutil.rmtree(library.experiment("fig1", partial)[-1].config.folder)
    assert [group[0].config.task.omega for group in library.tasks("fig1", partial)[0]] == [74]


def test_only_the_seeds_asked_for_are_shown(place):
    of = library.jobs("fig1", place)[0].config
    save(replace(of, seeds=tuple(range(5))), lambda config, seed: 0.1)
    assert len(RunFolder(of.folder).finished()) == 5
    assert library.experiment("fig1", place)[0].seeds == 2


def fake(task_omega, method, finals, gamma=10, **other) -> Result:
    """A result whose seeds end at the given losses."""
    settings = ["profile=smoke", f"task.omega={task_omega}", f"method={method}", f"schedule.gamma={gamma}"]
    (raw,) = compose.jobs(settings + [f"{key}={value}" for key, value in other.items()])
    curves = [(seed, epoch, 1.0, "final", loss * (3 - epoch)) for seed, loss in enumerate(finals) for epoch in (1, 2)]
    frame = pd.DataFrame(curves, columns=["seed", "epoch", "lam", "phase", "target_loss"])
    return Result(from_dict(raw), frame.assign(train_loss=frame["target_loss"]))


def test_the_grid_holds_ratios_of_medians_over_shared_seeds():
    warm = fake(74, "warmstart", [0.2, 0.4, 9.0, 50.0, 50.0])  # the homotopy has no seeds 3 and 4
    found = [warm, fake(74, "homotopy", [0.1, 0.2, 0.3], gamma=5)]
    table = omega_gamma.ratios([*found, fake(137, "warmstart", [1.0]), fake(137, "homotopy", [3.0], gamma=2)])
    first, second = table.itertuples()
    assert (first.omega, first.gamma, first.n) == (74, 5, 3) and first.ratio == pytest.approx(2.0)
    assert first.low <= first.ratio <= first.high
    assert (second.omega, second.gamma, second.n) == (137, 2, 1) and second.ratio == pytest.approx(1 / 3)


def test_the_map_compares_settled_losses_in_every_setting():
    losses = {"pytorch_default": (0.1, 1.0, 0.5), "glorot_zero_bias": (1.0, 1.0, 0.1)}
    found = [
        fake(74, method, [loss], **{"model.init": init})
        for init, of_setting in losses.items()
        for method, loss in zip(("homotopy", "random", "warmstart"), of_setting, strict=True)
    ]
    unfinished = replace(found[0], config=replace(found[0].config, batch_size=512), curves=found[0].curves.iloc[:0])
    summary = unstated.table([*found, unfinished]).set_index(["init", "batch_size"])
    assert summary["lead 74"].to_dict() == pytest.approx(
        {("pytorch_default", 128): 5.0, ("glorot_zero_bias", 128): 0.1, ("pytorch_default", 512): np.nan}, nan_ok=True
    )
    text = unstated.text(summary.reset_index())
    assert "| pytorch_default | 0.01 | 128 | 1 | 0.5 | 0.1 | not run | not run | not run | 5 | not run |" in text
    assert "omega 74: the homotopy ends below both baselines by a factor of 1.25 or more in 1 of 2 settings" in text
    assert "omega 137: the homotopy ends below both baselines by a factor of 1.25 or more in 0 of 0 settings" in text
