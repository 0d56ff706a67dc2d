"""`torchvision`, importable with any build of torch; everything here imports it from this module.

PyTorch's CPU wheel and PyPI's (CUDA) wheel of torchvision do not fit: torchvision's compiled operators fail to load,
which it tolerates, and then `import torchvision` dies of "operator torchvision::nms does not exist", because it
describes operators that nobody declared. We need its data sets only: where the import fails, we declare the two
operators and import again.
"""

from __future__ import annotations

import sys

import torch

try:
    import torchvision  # noqa: F401
except RuntimeError as error:
    if "torchvision::" not in str(error):
        raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _library = torch.library.Library("torchvision", "DEF")  # the declarations live as long as this object
    for operator in ("nms", "qnms"):
        _library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from torchvision import datasets, transforms  # noqa: E402

__all__ = ["CIFAR10", "MNIST", "FashionMNIST", "datasets", "transforms"]


# torchvision derives MNIST's folder from the name of the class
class MNIST(datasets.MNIST):
    """MNIST, never read from the processed files of an old torchvision, which nobody checked."""

    def _check_legacy_exist(self) -> bool:
        return False


class FashionMNIST(datasets.FashionMNIST):
    """Fashion-MNIST, likewise."""

    def _check_legacy_exist(self) -> bool:
        return False


class CIFAR10(datasets.CIFAR10):
    """CIFAR-10 without torchvision's own check, which refuses whatever is not official; `check` has been made."""

    train_list = [[file, None] for file, _ in datasets.CIFAR10.train_list]
    test_list = [[file, None] for file, _ in datasets.CIFAR10.test_list]
    meta = {**datasets.CIFAR10.meta, "md5": None}
