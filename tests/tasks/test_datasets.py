"""Image data: every file is checked, nothing of the user's is overwritten, and errors say what to do."""

import hashlib
import json
from contextlib import ExitStack
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

from homotopy import flock
from homotopy.errors import DataError
from homotopy.tasks import datasets, embedded, torchvision_import
from tests.images import ROOT, change_a_pixel, needs_images

LABELS = "t10k-labels-idx1-ubyte"


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@needs_images
@pytest.mark.parametrize(("name", "shape", "train"), [("MNIST", (1, 28, 28), 60000), ("CIFAR10", (3, 32, 32), 50000)])
def test_a_data_set_is_read_whole(name, shape, train):
    images = datasets.load(name, ROOT, verify=False)
    assert images.shape == shape and images.train.pixels.dtype == torch.uint8
    assert (len(images.train.pixels), len(images.test.pixels), len(images.classes)) == (train, 10000, 10)
    assert images.train.labels.bincount().sum() == train and images.train.labels.max() == 9


@needs_images
def test_official_files_pass_and_their_checksums_are_returned():
    found = datasets.check("MNIST", ROOT)
    assert found.official and found.note == ""
    assert found.md5[LABELS] == md5(ROOT / "MNIST/raw" / LABELS)


def test_a_missing_file_is_named_with_its_checksum_and_its_place(tmp_path):
    with pytest.raises(DataError) as error:
        datasets.load("MNIST", tmp_path)
    text, path = str(error.value), tmp_path / "MNIST/raw/train-images-idx3-ubyte"
    assert f"{path} is missing (md5 6bbc9ace898e44ae57da46a324031adb)" in text
    assert "scripts/data.py" in text and "\n" not in text


def test_a_damaged_file_is_named_with_both_checksums(small):
    path = small("MNIST") / LABELS
    official = md5(path)
    assert datasets.check("MNIST", path.parents[2]).official
    flip_a_byte(path)
    with pytest.raises(DataError) as error:
        datasets.load("MNIST", path.parents[2])
    assert f"{path} has md5 {md5(path)}, expected {official}" in str(error.value)
    assert "task.images=unofficial" in str(error.value)


def test_every_data_set_that_cannot_be_used_is_named_with_its_figures(small):
    path = small("MNIST") / LABELS
    for damaged in (False, True):
        lines = datasets.unusable(path.parents[2])
        assert [line.partition(":")[0] for line in lines] == ["fig3a, fig3b"] * damaged + ["fig3a", "fig3b"]
        assert f"{path} has md5" in lines[0] or not damaged
        assert "cifar-10-batches-py/data_batch_1 is missing" in lines[-1]
        flip_a_byte(path)


def test_verify_false_lets_other_files_pass_and_says_so(small):
    path = small("MNIST") / LABELS
    flip_a_byte(path)
    found = datasets.load("MNIST", path.parents[2], verify=False).provenance
    assert found.official is False and found.note == "not the official files" and found.md5[LABELS] == md5(path)


def test_processed_files_of_an_old_torchvision_are_not_read(small):
    path = small("MNIST") / LABELS
    processed = path.parents[1] / "processed"
    processed.mkdir()
    for file in ("training.pt", "test.pt"):
        torch.save((torch.zeros(1, 28, 28, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64)), processed / file)
    assert len(datasets.load("MNIST", path.parents[2]).test.labels) == 100


def test_an_inexact_copy_is_checked_against_its_own_checksums(small):
    folder = small("CIFAR10")
    change_a_pixel(folder)
    sums = {file: md5(folder / file) for file in datasets.DATASETS["CIFAR10"].md5}
    (folder / datasets.DECLARED).write_text(json.dumps({"md5": sums, "train": [3, 7], "test": [5]}))
    assert datasets.check("CIFAR10", folder.parent, verify=False).note == "not the official files (3 images differ)"
    flip_a_byte(folder / "batches.meta")
    with pytest.raises(DataError, match=f"expected {sums['batches.meta']}"):
        datasets.check("CIFAR10", folder.parent, verify=False)


def test_what_cannot_be_read_is_a_data_error(small):
    path = small("CIFAR10") / "test_batch"
    path.write_bytes(b"\x80\x02 no pickle")
    with pytest.raises(DataError, match="cannot be read"):
        datasets.load("CIFAR10", path.parents[1], verify=False)


class Host:
    """A data set's download that writes given files, or fails."""

    def __init__(self, files, error=None):
        self.files, self.error, self.calls = files, error, 0

    def __call__(self, root, download):
        self.calls += 1
        (Path(root) / "MNIST/raw").mkdir(parents=True)
        for file, content in self.files.items():
            (Path(root) / "MNIST/raw" / file).write_bytes(content)
        if self.error:
            raise self.error


@pytest.fixture
def host(monkeypatch):
    """Return a function that makes a host of four small files, which are from then on the official ones."""
    files = {file: file.encode() for file in datasets.DATASETS["MNIST"].md5}

    def make(error=None, damaged=()):
        sums = {file: hashlib.md5(content).hexdigest() for file, content in files.items()}
        monkeypatch.setitem(datasets.DATASETS, "MNIST", datasets.DATASETS["MNIST"]._replace(md5=sums))
        served = {file: content + b"!" * (file in damaged) for file, content in files.items()}
        found = Host(served, error)
        monkeypatch.setattr(torchvision_import.datasets, "MNIST", found)
        return found

    return make


def test_download_brings_what_is_missing_once_and_leaves_the_rest_alone(tmp_path, host):
    server, own = host(), tmp_path / "MNIST/raw" / LABELS
    own.parent.mkdir(parents=True)
    own.write_bytes(b"mine")
    assert len(datasets.download("MNIST", tmp_path)) == 3
    assert own.read_bytes() == b"mine"
    assert datasets.download("MNIST", tmp_path) == [] and server.calls == 1
    assert {path.name for path in tmp_path.iterdir()} <= {"MNIST", ".download.lock"}


def test_without_a_connection_the_user_learns_what_is_left_out_and_what_to_do(tmp_path, host):
    host(error=URLError("no route"))
    with pytest.raises(DataError) as error:
        datasets.download("MNIST", tmp_path)
    text = str(error.value)
    assert "no route" in text and "fig3a, fig3b" in text and str(tmp_path / "MNIST/raw") in text
    assert "\n" not in text and not (tmp_path / "MNIST").exists()


@pytest.mark.parametrize("error", [IncompleteRead(b""), EOFError()])
def test_a_connection_that_breaks_is_a_data_error(tmp_path, host, error):
    host(error=error)
    with pytest.raises(DataError, match="cannot be downloaded .*(IncompleteRead|EOFError)"):
        datasets.download("MNIST", tmp_path)


def test_a_second_process_waits_says_so_and_downloads_nothing(tmp_path, host, monkeypatch):
    server, files = host(), datasets.DATASETS["MNIST"].md5
    monkeypatch.setattr(flock, "PATIENCE", 0.01)
    first_process = ExitStack()
    first_process.enter_context(flock.locked(tmp_path / ".download.lock", lambda: None))

    def first_process_ends(message):
        assert "waiting" in message and str(tmp_path) in message
        (tmp_path / "MNIST/raw").mkdir(parents=True)
        for file in files:
            (tmp_path / "MNIST/raw" / file).touch()
        first_process.close()

    monkeypatch.setattr(datasets, "say", first_process_ends)
    assert datasets.download("MNIST", tmp_path) == [] and server.calls == 0 and len(files) == 4


def test_a_root_that_cannot_be_written_and_a_file_that_cannot_be_read_are_data_errors(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be downloaded .*without it there is no fig3b"):
        datasets.download("CIFAR10", tmp_path / "file")
    place = tmp_path / "cifar-10-batches-py"
    place.mkdir()
    for file in datasets.DATASETS["CIFAR10"].md5:
        (place / file).touch()
    (place / datasets.DECLARED).write_text("{")
    with pytest.raises(DataError, match="inexact.json cannot be read"):
        datasets.check("CIFAR10", tmp_path, verify=False)
    for wrong in ("[]", '{"train": 77}', '{"md5": "d41d"}'):
        (place / datasets.DECLARED).write_text(wrong)
        with pytest.raises(DataError, match='inexact.json must be .*"train"'):
            datasets.check("CIFAR10", tmp_path, verify=False)


def test_a_download_with_a_wrong_checksum_is_thrown_away(tmp_path, host):
    host(damaged=[LABELS])
    with pytest.raises(DataError, match="cannot be downloaded"):
        datasets.download("MNIST", tmp_path)
    assert not (tmp_path / "MNIST").exists()


def test_mnist_becomes_as_large_and_as_colourful_as_cifar10():
    mnist = embedded.load("MNIST")
    shape = datasets.common_shape(mnist, embedded.load("CIFAR10"))
    assert shape == (3, 32, 32)
    before, after = mnist.test.pixels, datasets.fit(mnist, shape).test.pixels
    assert after.shape == (1000, 3, 32, 32) and after.dtype == torch.uint8
    assert torch.equal(after[:, :, 2:30, 2:30], before.expand(-1, 3, -1, -1))
    assert after.sum() == 3 * before.sum()  # nothing but zeros around


def picture(path, size, colour):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, 3), colour, np.uint8)).save(path)


def folder(root, classes, splits=("train", "test")):
    for split in splits:
        for i, name in enumerate(classes):
            picture(root / split / name / "a.png", (9, 12), 40 * i)
            picture(root / split / name / "b.png", (20, 7), 40 * i + 1)
    return root


@pytest.mark.parametrize("channels", [1, 3])
def test_folders_of_images_are_resized_to_one_size(tmp_path, channels):
    images = datasets.load_folder(folder(tmp_path, ["cat", "dog", "eel"]), 8, channels)
    assert images.classes == ("cat", "dog", "eel") and images.shape == (channels, 8, 8)
    assert images.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert images.train.pixels[:, 0, 4, 4].tolist() == [0, 1, 40, 41, 80, 81]
    assert images.provenance.official is None


def test_colours_stay_with_three_channels_and_become_grey_with_one(tmp_path):
    picture(tmp_path / "train/blue/a.png", (9, 9), (0, 0, 255))
    picture(tmp_path / "test/blue/a.png", (9, 9), (255, 0, 0))
    coloured, grey = (datasets.load_folder(tmp_path, 8, channels) for channels in (3, 1))
    assert coloured.train.pixels[0, :, 4, 4].tolist() == [0, 0, 255]
    assert coloured.test.pixels[0, :, 4, 4].tolist() == [255, 0, 0]
    assert [split.pixels[0, 0, 4, 4].item() for split in (grey.train, grey.test)] == [29, 76]  # ITU-R 601


def test_the_checksum_of_a_folder_is_that_of_its_images(tmp_path):
    one = datasets.load_folder(folder(tmp_path, ["cat", "dog"]), 8, 3).provenance.md5
    picture(tmp_path / "test/dog/b.png", (20, 7), 200)
    other = datasets.load_folder(tmp_path, 8, 3).provenance.md5
    assert one["train"] == other["train"] and one["test"] != other["test"]


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    path = folder(tmp_path, ["cat", "dog"]) / "train/dog/a.png"
    content = path.read_bytes()
    for damaged in (b"no image", content[: len(content) // 2], content.replace(b"IDAT", b"IDAX")):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="dog/a.png is no image that can be read"):
            datasets.load_folder(tmp_path, 8, 3)


def test_a_folder_without_images_and_unequal_classes_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="one folder of images per class"):
        datasets.load_folder(tmp_path, 8, 3)
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match="there is none"):
        datasets.check_folder(tmp_path)
    folder(tmp_path, ["cat", "dog"], ["train"])
    folder(tmp_path, ["cat"], ["test"])
    with pytest.raises(DataError, match="differ"):
        datasets.load_folder(tmp_path, 8, 3)
