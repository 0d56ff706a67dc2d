"""What image runs differ in: the network, and what a method varies."""

from __future__ import annotations

from homotopy.config import Config

# the networks of the two studies, by their layers with weights and the most channels of one
NETWORKS = {(4, 64): "vgg_small", (11, 64): "VGG-11", (16, 64): "VGG-16"}


def network(of: Config) -> str:
    """Return the name of a configuration's network, or its layers with weights and channels where it has no name."""
    layers, channels = sum(map(len, of.model.stages)) + len(of.model.hidden) + 1, max(map(max, of.model.stages))
    return NETWORKS.get((layers, channels), f"{layers} layers of up to {channels} channels")


def setting(of: Config) -> str:
    """Return what its method varies, in words."""
    if of.method.name == "random":
        return f"batches of {of.batch_size}"
    if of.method.name == "warmstart":
        return f"source {of.budget.source}"
    return f"gamma {of.schedule.gamma}, k {of.budget.k}, {of.task.pairing}"
