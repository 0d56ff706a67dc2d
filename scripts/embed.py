"""Make the images that come with the package from the data sets' own files.

examples:
  python scripts/embed.py                     from the files below HOMOTOPY_DATA, or data/
  python scripts/embed.py data.root=DIR       from those below another folder

It writes into homotopy/tasks/embedded (to=DIR: elsewhere) mosaics without loss, index.json and MD5SUMS. The checksums
in index.json are those of pixels and labels, and the same whatever packs them; those in MD5SUMS, of the files, are
the same with the Pillow of requirements.txt. It takes two minutes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _start import imports

with imports():
    import numpy as np
    from PIL import Image

    from homotopy import script, user_folders
    from homotopy.results.files import write_atomic
    from homotopy.tasks import embedded
    from homotopy.tasks.datasets import ImageSet, Split, checksum, load

COUNT = {"train": 5000, "test": 1000}
# official indices below COUNT whose images we had from no lossless source; the next one takes the place at the end
LEFT_OUT = {"CIFAR10": {"train": [4298], "test": [722]}}
PER_FILE, COLUMNS = 2500, 50  # images
# of colour images lossless WebP makes four fifths of PNG's size, of grey ones nearly the same
PNG: dict[str, Any] = {"format": "png", "optimize": True}
WEBP: dict[str, Any] = {"format": "webp", "lossless": True, "quality": 100, "method": 6}
PACKING = {"MNIST": PNG, "FashionMNIST": PNG, "CIFAR10": WEBP}


def chosen(split: Split, count: int, left_out: list[int]) -> Split:
    """Return the first `count` images that are not left out."""
    indices = [i for i in range(count + len(left_out)) if i not in left_out]
    return Split(split.pixels[indices], split.labels[indices])


def mosaic(pixels: np.ndarray) -> np.ndarray:
    """Lay images (N, C, H, W) row by row into one, `COLUMNS` side by side: (rows H, COLUMNS W) or with C at the end."""
    n, channels, height, width = pixels.shape
    grid = pixels.reshape(n // COLUMNS, COLUMNS, channels, height, width).transpose(0, 3, 1, 4, 2)
    laid = np.ascontiguousarray(grid.reshape(n // COLUMNS * height, COLUMNS * width, channels))
    return laid[..., 0] if channels == 1 else laid


def write(name: str, part: str, split: Split, to: Path) -> dict[str, Any]:
    """Write the mosaics of a split; return its entry of index.json."""
    files = []
    for start in range(0, len(split.labels), PER_FILE):
        files.append(f"{name}-{part}-{start // PER_FILE}.{PACKING[name]['format']}")
        Image.fromarray(mosaic(split.pixels[start : start + PER_FILE].numpy())).save(to / files[-1], **PACKING[name])
    labels = "".join(map(str, split.labels.tolist()))
    return {"files": files, "left_out": left_out(name, part), "md5": checksum(split), "labels": labels}


def left_out(name: str, part: str) -> list[int]:
    """Return the official indices that a split lacks."""
    return LEFT_OUT.get(name, {}).get(part, [])


def entry(name: str, images: ImageSet, to: Path) -> dict[str, Any]:
    """Write the mosaics of a data set; return its entry of index.json."""
    parts = {"train": images.train, "test": images.test}
    short = {part: chosen(split, COUNT[part], left_out(name, part)) for part, split in parts.items()}
    return {"classes": images.classes, **{part: write(name, part, split, to) for part, split in short.items()}}


def sums(folder: Path) -> Iterator[str]:
    """Yield a line of MD5SUMS for every file that was made."""
    for path in sorted([*folder.glob("*.png"), *folder.glob("*.webp"), folder / embedded.INDEX]):
        yield f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.name}\n"


def main(arguments: list[str]) -> None:
    """Make all of it."""
    defaults = {"data.root": user_folders.data(), "to": str(embedded.FOLDER)}
    options = script.options(__doc__, arguments, defaults)
    to = Path(options["to"])
    # a copy of CIFAR-10 that is exact but for what is left out will do
    found = {name: load(name, Path(options["data.root"]), verify=name != "CIFAR10") for name in embedded.SIZES}
    to.mkdir(parents=True, exist_ok=True)
    index = {name: entry(name, images, to) for name, images in found.items()}
    write_atomic(to / embedded.INDEX, (json.dumps(index, indent=1) + "\n").encode())
    lines = "".join(sums(to))
    write_atomic(to / "MD5SUMS", lines.encode())
    print(lines, end="")


if __name__ == "__main__":
    script.guard(main, sys.argv[1:])
