"""What image runs differ in: the network, and what a method varies."""

from __future__ import annotations

from homotopy.config import Config

NETWORKS = {4: "vgg_small", 11: "VGG-11", 16: "VGG-16"}  # by their layers with weights


def network(of: Config) -> str:
    """Return the name of a configuration's network, or its number of layers with weights where it has no name."""
    layers = sum(map(len, of.model.stages)) + len(of.model.hidden) + 1
    return NETWORKS.get(layers, f"{layers} layers")


def setting(of: Config) -> str:
    """Return what its method varies, in words."""
    if of.method.name == "random":
        return f"batches of {of.batch_size}"
    if of.method.name == "warmstart":
        return f"source {of.budget.source}"
    return f"gamma {of.schedule.gamma}, k {of.budget.k}, {of.task.pairing}"
