"""Animations of a deformation, lam from 0 to 1, as GIF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

T = TypeVar("T")
_FRAME, _HOLD = 120, 840  # milliseconds of a picture; of the first and the last (GIF counts in tens)


def save(figure: Figure, show: Callable[[T], None], frames: Sequence[T], path: Path, dpi: int = 120) -> list[Path]:
    """Write an endless GIF, `show` putting each frame on the figure, and close it; same frames, same bytes."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")  # laid out once: nothing moves but the data
    pictures = []
    for frame in frames:
        show(frame)
        canvas.draw()
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"))
    plt.close(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    durations = [_HOLD, *[_FRAME] * (len(pictures) - 2), _HOLD]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    return [path]
