"""Overlapping tiles that cover an image.

Akyon et al., "Slicing Aided Hyper Inference and Fine-Tuning for Small Object Detection", ICIP 2022.
"""

from __future__ import annotations

from math import ceil

__all__ = ["OVERLAP", "Window", "tile_starts", "tile_windows"]

OVERLAP = 0.2
"""The usual overlap of neighbours, as a fraction of a tile's side."""

Window = tuple[int, int, int, int]
"""Left, top, right and bottom edge in pixels."""


def tile_starts(length: int, side: int, overlap: float = OVERLAP) -> list[int]:
    """Where tiles start that cover a length, evenly, and overlap by at least a fraction of their side.

    >>> tile_starts(1000, 640), tile_starts(640, 640), tile_starts(300, 640)
    ([0, 360], [0], [0])
    """
    if length <= side:
        return [0]
    steps = ceil((length - side) / max(1, side * (1 - overlap)))
    return [round(i * (length - side) / steps) for i in range(steps + 1)]


def tile_windows(size: tuple[int, int], tile: tuple[int, int], overlap: float = OVERLAP) -> list[Window]:
    """The tiles of an image, row by row: left, top, right and bottom edge of each, in pixels.

    Args:
        size: height and width of the image.
        tile: height and width of the tiles, which are cut off at those of the image.
        overlap: fraction of a tile's side that neighbours share at least.

    >>> tile_windows((400, 1000), (640, 640))
    [(0, 0, 640, 400), (360, 0, 1000, 400)]
    """
    (height, width), (tall, wide) = size, tile
    return [
        (x, y, min(x + wide, width), min(y + tall, height))
        for y in tile_starts(height, tall, overlap)
        for x in tile_starts(width, wide, overlap)
    ]
