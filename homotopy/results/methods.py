"""The methods that are compared: their order and their names in every table and figure."""

from __future__ import annotations

BASELINES = ("random", "warmstart")
METHODS = (*BASELINES, "homotopy")
LABELS = {
    "homotopy": "homotopy",
    "warmstart": "warm start",
    "random": "random init.",
    "random_homotopy": "homotopy from random",
    "amplitude": "amplitude only",
    "adaptive": "adaptive steps",
    "secant": "secant predictor",
    "frequency": "homotopy in frequency",
}
