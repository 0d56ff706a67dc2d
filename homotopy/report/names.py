"""What a claim of rules.yaml is called where there is no room for its sentence."""

from __future__ import annotations

from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "sine-lowest": "homotopy lowest at the end",
    "sine-faster": "homotopy faster, by the loss on the target",
    "sine-faster-objective": "homotopy faster, by the loss on its own objective",
    "two-orders": "homotopy lower by two orders of magnitude",
    "across-omega": "homotopy lowest at every omega",
    "hard-tasks": "homotopy lowest, omega 95 and above",
    "easy-tasks": "homotopy lowest, omega 74 and below",
    "annealed": "homotopy lowest with cosine annealing",
    "fashion-faster": "homotopy faster than random initialisation",
    "fashion-comparable": "homotopy as fast and low as warm start",
    "cifar-faster": "homotopy faster than random initialisation",
    "cifar-ahead": "homotopy faster and lower than warm start",
    "limiting-case": "homotopy with gamma = 1 equal to warm start",
    "bounds": "convex bounds",
    "bounds-near-the-optimum": "local bounds",
    "slow-faster": "homotopy faster than random initialisation where that is slow",
    "slow-comparable": "homotopy as fast and low as warm start where random initialisation is slow",
    "glorot-faster": "homotopy faster than random initialisation in VGG-16 with Glorot's",
    "glorot-comparable": "homotopy as fast and low as warm start in VGG-16 with Glorot's",
    "slow-cifar-faster": "homotopy faster than random initialisation where that is slow, on CIFAR-10",
    "slow-cifar-path": "homotopy faster and lower than warm start from the same source solution there",
    "fair-epochs": "homotopy faster, source training counted too",
    "test-loss": "homotopy lowest on the test set, too",
    "path-alone": "help from the path alone",
    "source-solution": "help from the source solution",
    "more-than-amplitude": "help from mixing with the source's values",
    "adaptive-steps": "adaptive steps faster",
    "secant-predictor": "secant predictor faster",
}
