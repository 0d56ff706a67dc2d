"""Files of tensors: what was written comes back, or is refused, and the memory that this takes."""

import tracemalloc

import pandas as pd
import pytest
import torch

from homotopy.errors import ResultError
from homotopy.results.files import read_csv, read_head, read_tensors, write_csv, write_tensors

HEAD = {"seeds": [0, 2**63 - 1], "done": 3, "note": "a\nb é"}


def peak(work):
    """Return the most bytes that Python held while it worked; tensors are not among them."""
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_head_and_tensors_come_back(tmp_path):
    tensors = {"a": torch.arange(5), "b": torch.tensor(0.1, dtype=torch.float64)}
    write_tensors(tmp_path / "x.pt", HEAD, tensors)
    head, found = read_tensors(tmp_path / "x.pt")
    assert head == HEAD == read_head(tmp_path / "x.pt")
    assert found.keys() == tensors.keys() and all(torch.equal(found[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize("place", [2, 200, -100, -1])
def test_a_flipped_bit_anywhere_is_refused(tmp_path, place):
    path = tmp_path / "x.pt"
    write_tensors(path, HEAD, {"a": torch.arange(500)})
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(ResultError, match="truncated or altered"):
        read_tensors(path)


def test_a_checkpoint_takes_the_memory_of_one_copy_and_its_head_next_to_none(tmp_path):
    path, size = tmp_path / "x.pt", 8_000_000
    tensors = {"a": torch.zeros(size, dtype=torch.uint8)}
    assert peak(lambda: write_tensors(path, HEAD, tensors)) < 1.5 * size
    assert peak(lambda: read_tensors(path)) < 1.5 * size
    assert peak(lambda: read_head(path)) < 0.01 * size


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
def test_a_damaged_table_is_named(tmp_path, name):
    path = tmp_path / name
    frame = pd.DataFrame({"a": [1, 2]})
    write_csv(path, frame)
    assert read_csv(path).equals(frame)
    path.write_bytes(path.read_bytes()[: 5 if name.endswith("gz") else 0])
    with pytest.raises(ResultError, match=name):
        read_csv(path)
