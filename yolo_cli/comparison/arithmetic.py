"""Heat maps of a detector's multiply-accumulates on one image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from yolo_cli.comparison.measure import Measured

__all__ = ["arithmetic_map", "colour_scale", "decades", "heat_colours"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]

_STOPS = 16  # colour stops of the scale
_UNITS = ("", " k", " M", " G", " T")  # powers of a thousand


def arithmetic_map(one: Measured, height: int, width: int) -> Floats:
    """Multiply-accumulates per pixel of the first image, (height, width); they add up to the total.

    Arithmetic for the whole image is spread evenly over it, arithmetic for a region over that region.
    """
    steps = np.zeros((height + 1, width + 1))  # differences along both axes
    for x1, y1, x2, y2 in _inside(one.regions, height, width).tolist():
        density = one.cost.each / ((x2 - x1) * (y2 - y1))
        steps[y1, x1] += density
        steps[y2, x2] += density
        steps[y1, x2] -= density
        steps[y2, x1] -= density
    spread = steps.cumsum(axis=0).cumsum(axis=1)[:height, :width]  # (height, width)
    spent: Floats = np.maximum(spread, 0) + one.cost.whole / (height * width)
    return spent


def _inside(regions: Floats, height: int, width: int) -> NDArray[np.int64]:
    """Regions (N, 4) in whole pixels of the image, each at least one wide and high."""
    low = np.clip(np.rint(regions[:, :2]), 0, [width - 1, height - 1])  # (N, 2)
    high = np.maximum(np.clip(np.rint(regions[:, 2:]), 0, [width, height]), low + 1)  # (N, 2)
    return np.concatenate([low, high], axis=1).astype(np.int64)


def decades(maps: Sequence[Floats]) -> tuple[int, int]:
    """The range of all values of the maps in whole powers of ten, at least one apart.

    >>> decades([np.array([[2e3, 5e4]]), np.array([[1e3]])])
    (3, 5)
    """
    lowest, highest = min(float(spent.min()) for spent in maps), max(float(spent.max()) for spent in maps)
    low, high = math.floor(math.log10(max(1.0, lowest))), math.ceil(math.log10(max(1.0, highest)))
    return low, max(high, low + 1)


def heat_colours(spent: Floats, span: tuple[int, int]) -> Pixels:
    """A map (H, W) as colours, RGB (H, W, 3): logarithmic, dark to bright over ``span``'s powers of ten."""
    powers = np.log10(np.maximum(spent, 1))  # (H, W)
    return _inferno(np.clip((powers - span[0]) / (span[1] - span[0]), 0, 1))


def colour_scale(span: tuple[int, int]) -> Markup:
    """The scale of `heat_colours` as SVG, with a mark at each power of ten."""
    stops = np.linspace(0, 1, _STOPS)  # (S,)
    colours = _inferno(stops[None])[0].tolist()  # RGB of each stop
    gradient = Markup("").join(
        Markup('<stop offset="{:.3f}" stop-color="rgb({},{},{})"/>').format(at, *colour)
        for at, colour in zip(stops.tolist(), colours, strict=True)
    )
    marks = Markup("").join(
        Markup('<text x="{:.1f}" y="40" text-anchor="middle">{}</text>').format(
            20 + 360 * (power - span[0]) / (span[1] - span[0]), _short(power)
        )
        for power in range(span[0], span[1] + 1)
    )
    return Markup(
        '<svg class="chart scale" viewBox="0 0 400 46" role="img" aria-label="Scale of the colours">'
        '<linearGradient id="heat">{}</linearGradient>'
        '<rect x="20" y="4" width="360" height="18" fill="url(#heat)"/>{}</svg>'
    ).format(gradient, marks)


def _inferno(values: Floats) -> Pixels:
    """Values (H, W) from 0 to 1 → colours from dark to bright, RGB (H, W, 3)."""
    bgr: Any = cv2.applyColorMap(np.rint(255 * values).astype(np.uint8), cv2.COLORMAP_INFERNO)
    colours: Pixels = bgr[:, :, ::-1]
    return colours


def _short(power: int) -> str:
    """A power of ten: 3 → 1 k, 7 → 10 M."""
    return f"{10 ** (power % 3)}{_UNITS[power // 3]}"
