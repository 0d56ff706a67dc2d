"""Animations of a deformation, lam from 0 to 1, as GIF."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from homotopy.results.files import write_atomic

T = TypeVar("T")
_FRAME, _HOLD = 120, 840  # milliseconds of a picture; of the first and the last (GIF counts in tens)
_COLOURS = 255  # of all pictures together: one index is left for "as before"


def save(
    figure: Figure,
    show: Callable[[T], None],
    frames: Sequence[T],
    path: Path,
    *,
    dpi: int = 120,
    frame: int = _FRAME,
    hold: tuple[int, int] = (_HOLD, _HOLD),
) -> list[Path]:
    """Write an endless GIF, `show` putting each frame on the figure, and close it; same frames, same bytes.

    A picture is shown for `frame` milliseconds, the first and the last for those of `hold`.
    """
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")  # laid out once: nothing moves but the data
    pictures = []
    for each in frames:
        show(each)
        canvas.draw()
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    plt.close(figure)
    durations = [hold[0], *[frame] * (len(pictures) - 2), hold[1]]
    first, *others = _of_few_colours(pictures)
    drawn = io.BytesIO()
    first.save(drawn, format="gif", save_all=True, append_images=others, duration=durations, loop=0)
    write_atomic(path, drawn.getvalue())
    return [path]


def _of_few_colours(pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """Give all pictures one palette, so that nothing flickers and the file stays small."""
    width, height = pictures[0].size
    some = [pictures[i * (len(pictures) - 1) // 4] for i in range(5)]
    sheet = Image.new("RGB", (width, height * len(some)))
    for i, picture in enumerate(some):
        sheet.paste(picture, (0, i * height))
    palette = sheet.quantize(_COLOURS, dither=Image.Dither.NONE)
    colours = np.array(palette.getpalette()).reshape(-1, 3)
    colours[colours.min(axis=1) >= 248] = 255  # white again, which was mixed with the shades next to it
    palette.putpalette(colours.ravel().tolist())
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
