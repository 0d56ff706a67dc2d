"""A torchvision whose operators do not fit the torch at hand can still be imported."""

import subprocess
import sys

import pytest

FITTING = "import torch\n"
# what torchvision does as it is imported: it describes operators that its compiled library should have declared
MISFIT = """
import torch
@torch.library.register_fake("torchvision::nms")
def nms(dets, scores, iou_threshold): ...
@torch.library.register_fake("torchvision::qnms")
def qnms(dets, scores, iou_threshold): ...
"""
BROKEN = "raise RuntimeError('something else')\n"
DATASETS = "class MNIST: pass\nclass FashionMNIST: pass\nclass CIFAR10: train_list = test_list = (); meta = {}\n"


def imported(tmp_path, package):
    """Import homotopy.tasks.torchvision_import in a process of its own, where torchvision is `package`."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision/__init__.py").write_text(package)
    (tmp_path / "torchvision/datasets.py").write_text(DATASETS)
    (tmp_path / "torchvision/transforms.py").touch()
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from homotopy.tasks import torchvision_import as tv; print(tv.datasets.__file__)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.parametrize("package", [FITTING, MISFIT])
def test_the_data_sets_are_there_with_and_without_its_operators(tmp_path, package):
    done = imported(tmp_path, package)
    assert done.stdout.strip() == str(tmp_path / "torchvision/datasets.py"), done.stderr


def test_other_errors_are_not_hidden(tmp_path):
    assert "something else" in imported(tmp_path, BROKEN).stderr
