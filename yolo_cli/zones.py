"""Lines and polygons in pixels, as the command line has them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import UsageError
from yolo_cli.text import number

__all__ = ["depth_in", "has_inside", "read_points"]

Floats = NDArray[np.floating[Any]]
Point = tuple[float, float]


def depth_in(polygon: Floats, point: Point) -> float:
    """How far inside a polygon (K, 2) a point is: pixels from the border, below 0 outside."""
    return float(cv2.pointPolygonTest(polygon.astype(np.float32), point, True))


def has_inside(polygon: Floats, xyxy: Floats) -> NDArray[np.bool_]:
    """Whether the centre of each box (N, 4) is in a polygon (K, 2), or on its border: (N,).

    >>> has_inside(np.array([[0, 0], [10, 0], [0, 10]]), np.array([[2, 2, 4, 4], [8, 8, 10, 10]], float))
    array([ True, False])
    """
    centres = ((xyxy[:, :2] + xyxy[:, 2:]) / 2).tolist()
    return np.array([depth_in(polygon, (x, y)) >= 0 for x, y in centres], bool)


def read_points(option: str, text: str) -> Floats:
    """Points (K, 2) from ``x1,y1,x2,y2,…``: two for ``--count-line``, three or more for a polygon.

    Raises:
        UsageError: if they are not that many numbers, or all in one place, or those of a polygon on a line.

    >>> read_points("--count-line", "0,10,20,10").tolist()
    [[0.0, 10.0], [20.0, 10.0]]
    """
    values = [number(word.strip()) for word in text.split(",")]
    fewest, most = (4, 4) if option == "--count-line" else (6, 1000)
    fits = fewest <= len(values) <= most and len(values) % 2 == 0
    if not fits or any(value is None or not abs(value) <= 1e6 for value in values):
        form = "x1,y1,x2,y2" if most == 4 else "x1,y1,x2,y2,x3,y3,…"
        raise UsageError(f"{option} {text}: must be {form} in pixels")
    points = np.array(values, float).reshape(-1, 2)
    if len(np.unique(points, axis=0)) < fewest // 2:
        raise UsageError(f"{option} {text}: has the same point twice; give {fewest // 2} different points")
    if fewest == 6 and np.linalg.matrix_rank(points - points[0]) < 2:
        raise UsageError(f"{option} {text}: encloses nothing; give points that are not on one line")
    return points
