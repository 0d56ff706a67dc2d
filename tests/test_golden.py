"""Committed curves, trained again from the source task on: the C++ solver still computes every committed digit."""

import json
from itertools import islice
from pathlib import Path

import pandas as pd
import torch

from homotopy import compose, config
from homotopy.history import History
from homotopy.interruption import Interruption
from homotopy.machine import Machine, build_ensemble
from homotopy.runner import _epochs, build_path
from homotopy.sources import Sources
from tests.machine import ROOT, needs_cpp

EPOCHS = 30


def retrained(made: config.Config) -> pd.DataFrame:
    """The rows of seed 0 up to epoch `EPOCHS`, recorded as a run records them."""
    machine = Machine(torch.device("cpu"), torch.float32)
    deformation = made.task.load([0], machine.device, machine.dtype)
    with Interruption() as stop:
        theta, _ = Sources(made, deformation).get([0], machine, stop)
    model = made.model.network(deformation)
    ensemble = build_ensemble(made, model, made.optimizer.rule(), theta)
    points = History([0], made.steps(), made.log_every).epochs
    recorded = {}
    for epoch in islice(_epochs(made, build_path(made), ensemble, deformation, 0), EPOCHS):
        if epoch.number in points:
            losses = {"train_loss": epoch.loss.objective, "target_loss": epoch.loss.target}
            found = losses | deformation.metrics(ensemble)
            recorded[epoch.number] = {name: f"{float(value):.6g}" for name, value in found.items()}
    return pd.DataFrame.from_dict(recorded, orient="index")


@needs_cpp
def test_the_first_epochs_of_a_committed_run_have_its_digits(tmp_path: Path) -> None:
    overrides = ["profile=paper", "task.omega=116", "schedule.gamma=5", "budget.k=400", f"results.root={tmp_path}"]
    (raw,) = compose.jobs(overrides)
    made = config.from_dict(raw)
    folder = ROOT / "results" / "paper" / made.folder.parent.name / made.folder.name
    (record,) = (r for r in json.loads((folder / "metadata.json").read_text())["records"] if 0 in r["seeds"])
    assert record["solver"] == "FusedEnsemble"
    rows = pd.read_csv(folder / "runs.csv.gz", dtype={"train_loss": str, "target_loss": str, "test_loss": str})
    committed = rows[(rows.seed == 0) & (rows.epoch <= EPOCHS)].set_index("epoch")
    again = retrained(made)
    assert list(again.index) == [1, 10, 20, 30]
    assert again.to_dict() == committed[list(again.columns)].to_dict()
