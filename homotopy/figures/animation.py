"""Animations of a deformation, lam from 0 to 1, as GIF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.figure import Figure

T = TypeVar("T")
_HOLD = 6  # frames that the first and the last picture stand still


def save(figure: Figure, show: Callable[[T], None], frames: Sequence[T], path: Path, dpi: int = 120) -> list[Path]:
    """Write an endless GIF, `show` putting each frame on the figure, and close it; same frames, same bytes."""
    figure.canvas.draw()
    figure.set_layout_engine("none")  # laid out once: nothing moves but the data
    path.parent.mkdir(parents=True, exist_ok=True)
    held = [frames[0]] * _HOLD + list(frames) + [frames[-1]] * _HOLD
    FuncAnimation(figure, show, frames=held, init_func=lambda: None, cache_frame_data=False).save(
        path, writer=PillowWriter(fps=8), dpi=dpi
    )
    plt.close(figure)
    return [path]
