"""Cut large images into tiles with their boxes, for small objects.

After Akyon et al., "Slicing Aided Hyper Inference", ICIP 2022: tiles overlap by a fifth, and a box belongs to
each tile that shows a tenth of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import clip_boxes
from yolo_cli.datasets.extras import NOT_LABELLED, Extra
from yolo_cli.datasets.writing import Entry
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import UsageError
from yolo_cli.tiles import tile_windows

__all__ = ["tiles_of"]

_SHOWN = 0.1


def tiles_of(entry: Entry, side: int) -> Iterator[Entry]:
    """The tiles of an image, or the image itself if it is not larger.

    Boxes are clipped. Polygons and masks are kept only with boxes that are completely inside; key points
    outside count as not labelled.

    Raises:
        UsageError: if ``side`` is below 32 pixels.
    """
    if side < 32:
        raise UsageError(f"--tile {side}: tiles need at least 32 pixels")
    height, width = entry.size
    if height <= side and width <= side:
        yield entry
        return
    for window in tile_windows(entry.size, (side, side)):
        yield _tile(entry, window)


def _tile(entry: Entry, window: tuple[int, int, int, int]) -> Entry:
    """One tile with the boxes that it shows."""
    x, y, right, bottom = window
    size = (bottom - y, right - x)
    moved = entry.boxes.xyxy - np.array([x, y, x, y], float)  # (N, 4)
    inside = np.asarray(clip_boxes(moved, size), float)  # (N, 4)
    part = _areas(inside) / np.maximum(_areas(moved), 1e-9)  # (N,)
    kept = np.flatnonzero((part >= _SHOWN) & (inside[:, 2:] > inside[:, :2]).all(axis=1))  # (K,)
    boxes: GroundTruth = entry.boxes[kept].moved(inside[kept], entry.boxes.area[kept] * part[kept])
    extras = tuple(_moved(entry.extras[i], (x, y), size, bool(part[i] >= 1)) for i in kept)
    return replace(entry, size=size, boxes=boxes, extras=extras, window=window)


def _areas(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Areas of boxes (N, 4): (N,)."""
    return np.asarray(np.prod(np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0), axis=1))


def _moved(extra: Extra, corner: tuple[int, int], size: tuple[int, int], whole: bool) -> Extra:
    """An extra in the pixels of a tile."""
    polygons = tuple(
        tuple(value - corner[i % 2] for i, value in enumerate(polygon)) for polygon in extra.polygons
    )
    points = tuple(_point(point, corner, size) for point in extra.keypoints)
    return replace(extra, polygons=polygons if whole else (), mask=None, keypoints=points, annotation_id=None)


def _point(
    point: tuple[float, float, float], corner: tuple[int, int], size: tuple[int, int]
) -> tuple[float, float, float]:
    """A key point in the pixels of a tile; (0, 0, 0) if it is outside."""
    x, y = point[0] - corner[0], point[1] - corner[1]
    return (x, y, point[2]) if 0 <= x <= size[1] and 0 <= y <= size[0] and point[2] else NOT_LABELLED
