"""Names written at the lines that they are of, where each has most room: no legend to look up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from homotopy.figures.common import SMALL

_PLACES = 40  # along the x axis
_GAP = 0.35  # between a line and its name, in the name's heights
_ACROSS = 10  # weight of what lies across a name
_ENOUGH = 2.5  # room that is as good as more, in the name's heights


class Box(NamedTuple):
    """A rectangle, in pixels."""

    left: float
    right: float
    bottom: float
    top: float


def at_lines(figure: Figure, panels: Sequence[tuple[Axes, Mapping[str, Line2D]]]) -> None:
    """Write in each panel the name of each line above or below it, away from the other lines and names.

    Set limits, titles and labels before, as names are placed by where everything then is, and nothing moves after. A
    line without a finite point gets no name.
    """
    figure.draw_without_rendering()  # so that pixels are known
    figure.set_layout_engine("none")  # and stay
    for axes, lines in panels:
        _write(axes, lines)


def _write(axes: Axes, lines: Mapping[str, Line2D]) -> None:
    curves = {name: _pixels(axes, line) for name, line in lines.items()}
    taken: list[Box] = []
    for name, line in lines.items():
        text = axes.text(0, 0, name, color=line.get_color(), fontsize=SMALL + 0.5, ha="center", va="center", zorder=5)
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
        extent = text.get_window_extent()
        others = [curve for other, curve in curves.items() if other != name]
        boxes = list(_candidates(axes, curves[name], extent.width, extent.height))
        if not boxes:
            text.remove()
            continue
        best = max(boxes, key=lambda box: _room(box, curves[name], others, taken))
        taken.append(best)
        middle = ((best.left + best.right) / 2, (best.bottom + best.top) / 2)
        x, y = axes.transData.inverted().transform(middle)
        text.set_position((x, y))


def _pixels(axes: Axes, line: Line2D) -> np.ndarray:
    """Return a line's points on the canvas, (points, 2), without those that are not finite."""
    data = np.asarray(line.get_xydata(), float)
    return axes.transData.transform(data[np.isfinite(data).all(axis=1)])


def _candidates(axes: Axes, curve: np.ndarray, width: float, height: float) -> Iterator[Box]:
    """Yield boxes inside the axes that touch the curve from above or below."""
    frame = axes.get_window_extent()
    for middle in np.linspace(frame.x0 + 0.55 * width, frame.x1 - 0.55 * width, _PLACES):
        left, right = middle - width / 2, middle + width / 2
        under = _heights(curve, left, right)
        if len(under) == 0:
            continue
        for bottom in (under.max() + _GAP * height, under.min() - (1 + _GAP) * height):
            if frame.y0 <= bottom and bottom + height <= frame.y1:
                yield Box(left, right, bottom, bottom + height)


def _heights(curve: np.ndarray, left: float, right: float) -> np.ndarray:
    """Return where a curve is between two x: its points there and its values at the ends; empty where it is not."""
    x, y = curve.T
    if len(x) == 0 or right < x[0] or left > x[-1]:
        return np.empty(0)
    ends = np.interp([left, right], x, y)
    return np.concatenate([y[(x >= left) & (x <= right)], ends])


def _room(box: Box, own: np.ndarray, others: list[np.ndarray], taken: list[Box]) -> float:
    """Return the distance to the nearest other line or name, less how far the box is from the middle of its own line.

    In the name's heights. Where something lies across the name, that counts more than anything else.
    """
    height = box.top - box.bottom
    distances = [_ENOUGH * height]
    for curve in others:
        y = _heights(curve, box.left, box.right)
        if len(y):
            distances.append(max(y.min() - box.top, box.bottom - y.max()))
    for name in taken:
        across = max(name.left - box.right, box.left - name.right)
        distances.append(max(across, name.bottom - box.top, box.bottom - name.top))
    away = abs(float(np.median(_heights(own, box.left, box.right))) - (box.bottom + box.top) / 2)
    nearest = min(distances)
    return (nearest if nearest > 0 else _ACROSS * nearest) / height - 0.5 * away / height
