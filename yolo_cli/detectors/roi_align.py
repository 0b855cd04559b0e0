"""RoI align: the features of a region, resampled to a fixed size.

He, Gkioxari, Dollár and Girshick, "Mask R-CNN", ICCV 2017: where RoI pooling (Girshick, "Fast R-CNN", ICCV
2015) rounds a region to whole cells, RoI align interpolates between them. Here with one sample per bin, at
its Here with one point per bin, at its
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["roi_align"]

Floats = NDArray[np.floating[Any]]

AT_ONCE = 32  # regions: few enough for their features to stay in the CPU's cache


def roi_align(features: Floats, boxes: Floats, size: int) -> Floats:
    """Features of each region, (N, size, size, C).

    Each region is divided into ``size`` by ``size`` bins, and the map is interpolated bilinearly at the
    centre of each. The value of the cell in row r and column c is at its centre, (c + 0.5, r + 0.5); beyond
    the outermost centres the map is continued by its edge values.

    Args:
        features: (rows, columns, C).
        boxes: (N, 4), xyxy in cells of the map: (0, 0) is its upper left corner.
        size: bins along each side.

    >>> steps = np.arange(4, dtype=np.float32).reshape(1, 4, 1)  # 0 1 2 3 at x = 0.5 1.5 2.5 3.5
    >>> roi_align(steps, np.float32([[1, 0, 3, 1]]), 2)[0, :, :, 0]  # at x = 1.5 and 2.5
    array([[1., 2.],
           [1., 2.]], dtype=float32)
    """
    rows, columns, channels = features.shape
    x = _between(boxes[:, 0], boxes[:, 2], size, columns)  # twice (N, size) and (N, size)
    y = _between(boxes[:, 1], boxes[:, 3], size, rows)
    four = [
        (row[:, :, None] * columns + column[:, None], part_y[:, :, None] * part_x[:, None])
        for row, part_y in y
        for column, part_x in x
    ]
    cells = np.stack([cell for cell, _ in four], axis=-1)  # (N, size, size, 4)
    weights = np.stack([weight for _, weight in four], axis=-1).astype(features.dtype)  # (N, size, size, 4)
    flat = features.reshape(-1, channels)  # (rows · columns, C)
    out = np.empty((len(boxes), size, size, channels), features.dtype)
    for start in range(0, len(boxes), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        out[part] = (weights[part][..., None, :] @ flat[cells[part]])[..., 0, :]
    return out


def _between(low: Floats, high: Floats, size: int, cells: int) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """The two cells (N, size) around each bin's centre along one axis, each with its weight."""
    centre = low[:, None] + (high - low)[:, None] * ((np.arange(size) + 0.5) / size)  # (N, size)
    place = np.clip(centre - 0.5, 0, cells - 1)  # (N, size), in cells' centres
    first = np.minimum(np.floor(place).astype(np.int64), max(cells - 2, 0))  # (N, size)
    second = np.minimum(first + 1, cells - 1)  # (N, size)
    weight = place - first  # (N, size)
    return (first, 1 - weight), (second, weight)
