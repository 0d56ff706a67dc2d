"""The images that come with the package are those of the official files, and are made again by one command."""

import hashlib
import json

import numpy as np
import pytest
import torch
from PIL import Image

from homotopy.errors import DataError
from homotopy.tasks import datasets, embedded
from scripts import embed
from tests.images import ROOT, needs_images


def test_there_are_5000_and_1000_of_each_data_set():
    for name, size in embedded.SIZES.items():
        images = embedded.load(name)
        assert images.shape == (3 if name == "CIFAR10" else 1, size, size) and len(images.classes) == 10
        for split, count in ((images.train, 5000), (images.test, 1000)):
            assert len(split.pixels) == len(split.labels) == count and split.pixels.dtype == torch.uint8
            assert split.labels.unique().tolist() == list(range(10))


def test_the_first_labels_are_those_of_mnist():
    assert embedded.load("MNIST").train.labels[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]


def test_every_file_has_the_checksum_that_is_told_and_is_small_enough_to_be_committed():
    told = dict(line.split()[::-1] for line in (embedded.FOLDER / "MD5SUMS").read_text().splitlines())
    assert "".join(embed.sums(embedded.FOLDER)) == (embedded.FOLDER / "MD5SUMS").read_text()
    for name in (*told, "README.md"):
        assert (embedded.FOLDER / name).stat().st_size < 5_000_000
    assert {path.name for path in embedded.FOLDER.iterdir()} == {*told, "MD5SUMS", "README.md", "__init__.py"} | {
        name for name in ("__pycache__",) if (embedded.FOLDER / name).exists()
    }


def test_the_index_says_which_images_are_left_out_and_the_readme_too():
    index, text = json.loads((embedded.FOLDER / "index.json").read_text()), (embedded.FOLDER / "README.md").read_text()
    for name in embedded.SIZES:
        for split in ("train", "test"):
            assert index[name][split]["left_out"] == embed.left_out(name, split)
            assert all(f"{number:,}" in text for number in embed.left_out(name, split))
            assert index[name][split]["md5"] in text


@needs_images
@pytest.mark.parametrize("name", list(embedded.SIZES))
def test_they_are_the_first_of_the_whole_data_set_but_for_those_left_out(name):
    whole, images = datasets.load(name, ROOT, verify=False), embedded.load(name)
    for split, of_whole, own in (("train", whole.train, images.train), ("test", whole.test, images.test)):
        expected = embed.chosen(of_whole, len(own.labels), embed.left_out(name, split))
        assert torch.equal(expected.pixels, own.pixels) and torch.equal(expected.labels, own.labels)
    assert whole.classes == images.classes


@needs_images
def test_the_command_makes_the_same_images_again(tmp_path, monkeypatch):
    monkeypatch.setitem(embed.WEBP, "method", 0)  # quickly: other files, the same images
    embed.main([f"data.root={ROOT}", f"to={tmp_path}"])
    assert (tmp_path / "index.json").read_bytes() == (embedded.FOLDER / "index.json").read_bytes()
    monkeypatch.setattr(embedded, "FOLDER", tmp_path)
    assert len(embedded.load("CIFAR10").train.labels) == 5000


def test_mosaics_are_cut_where_they_were_laid():
    for channels in (1, 3):
        pixels = np.random.default_rng(0).integers(256, size=(100, channels, 6, 6), dtype=np.uint8)
        assert embed.mosaic(pixels).shape == (12, 300, 3)[: 2 + (channels > 1)]
        assert np.array_equal(embedded.tiles(embed.mosaic(pixels), 6), pixels)


def copied(tmp_path, monkeypatch):
    for path in embedded.FOLDER.iterdir():
        if path.suffix in (".json", ".png"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(embedded, "FOLDER", tmp_path)
    return tmp_path / "MNIST-train-1.png"


def test_a_changed_pixel_is_a_data_error(tmp_path, monkeypatch):
    path = copied(tmp_path, monkeypatch)
    pixels = np.array(Image.open(path))
    pixels[700, 700] ^= 1
    Image.fromarray(pixels).save(path)
    with pytest.raises(DataError, match="MNIST: the embedded train images"):
        embedded.load("MNIST")
    assert embedded.load("FashionMNIST").train.labels.shape == (5000,)


def test_a_missing_or_damaged_file_is_a_data_error(tmp_path, monkeypatch):
    path = copied(tmp_path, monkeypatch)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="MNIST: the embedded images in .* cannot be read"):
        embedded.load("MNIST")
    path.unlink()
    with pytest.raises(DataError, match="MNIST-train-1.png"):
        embedded.load("MNIST")


def test_an_image_that_is_left_out_leaves_its_place_to_the_next():
    split = datasets.Split(torch.arange(10), torch.arange(10) % 3)
    assert embed.chosen(split, 5, [2, 4]).pixels.tolist() == [0, 1, 3, 5, 6]


def test_the_checksum_is_that_of_the_bytes():
    split = datasets.Split(torch.ones(1, 1, 2, 2, dtype=torch.uint8), torch.tensor([3]))
    assert datasets.checksum(split) == hashlib.md5(b"\1\1\1\1" + b"\3" + bytes(7)).hexdigest()
