"""Edge detection, padding, stride and pooling in numbers; see `plots.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
from figures import figures, text_colour
from matplotlib.patches import Rectangle

from yolo_cli.visualisation.convolution import convolve, pool

IMAGE = np.repeat([[10.0, 10, 10, 0, 0, 0]], 6, axis=0)  # bright on the left, dark on the right
KERNEL = np.array([[1.0, 0, -1]] * 3)
FRAME = "#e5484d"


def maps() -> dict[str, np.ndarray]:
    """What is left of the image by each step."""
    valid = convolve(IMAGE, KERNEL)
    return {
        "no padding, stride 1": valid,
        "padding 1, stride 2": convolve(IMAGE, KERNEL, padding=1, stride=2),
        "max pooling 2 x 2 of the first": pool(valid, 2),
    }


def draw() -> None:
    """Print the maps, and draw them beside the image and the filter."""
    found = maps()
    for name, values in found.items():
        print(f"{name}: {values.shape[0]} x {values.shape[1]}\n{values.astype(int)}")
    valid, padded, pooled = found.values()
    for axes in figures("edges", (7.2, 2.2)):
        grid(axes, IMAGE, (0, 0), "image: 6 x 6")
        grid(axes, KERNEL, (7.2, 0), "filter: 3 x 3")
        grid(axes, valid, (11.4, 0), "map: 4 x 4")
        grid(axes, padded, (16.6, 0), "padding 1, stride 2: 3 x 3")
        grid(axes, pooled, (24.0, 0), "max pooling: 2 x 2")
        frame(axes, (1, 0), 3)  # the window of the second cell
        frame(axes, (12.4, 0), 1)
        for place, sign in ((6.6, "*"), (10.8, "=")):
            axes.text(place, 1.5, sign, ha="center", va="center", fontsize=14)
        sums = "three rows of 10 · 1 + 10 · 0 + 0 · (-1)"
        axes.text(7.2, 5.5, f"in red: {sums} = 30", fontsize=9, color=FRAME)
        axes.set(xlim=(-0.2, 29.2), ylim=(6.2, -1), aspect="equal")
        axes.axis("off")


def grid(axes: Any, values: np.ndarray, place: tuple[float, float], title: str) -> None:
    """Numbers (H, W) in cells; the larger, the bluer, and below 0 the redder."""
    left, top = place
    axes.text(left, top - 0.35, title, fontsize=9)
    most = float(np.abs(values).max())
    for (row, column), value in np.ndenumerate(values):
        colour = ("tab:blue" if value > 0 else "tab:orange", 0.55 * abs(value) / most)
        corner = (left + column, top + row)
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor=(text_colour(), 0.35), lw=0.8))
        axes.text(corner[0] + 0.5, corner[1] + 0.53, f"{value:g}", ha="center", va="center", fontsize=9)


def frame(axes: Any, place: tuple[float, float], side: float) -> None:
    """A frame around some cells."""
    axes.add_patch(Rectangle(place, side, side, facecolor="none", edgecolor=FRAME, lw=2.2, zorder=3))
