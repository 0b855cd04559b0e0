"""Geometry of boxes, in NumPy.

A box is xyxy: left, upper, right and lower edge, in pixels. A box whose right edge is not right of its
left edge, or whose lower edge is not below its upper one, has the area 0 and overlaps nothing. Arrays are
float, of shape (N, 4), with finite numbers; results have the float type of the arguments, and no
argument is changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "box_area",
    "box_iou",
    "clip_boxes",
    "cxcywh_to_xyxy",
    "intersection",
    "paired_centre_distance",
    "paired_iou",
    "xyxy_to_cxcywh",
    "xyxy_to_xywh",
]

Floats = NDArray[np.floating[Any]]


def box_area(boxes: Floats) -> Floats:
    """Areas (…) in square pixels of ``boxes`` (…, 4).

    >>> box_area(np.float32([[0, 0, 4, 3], [4, 0, 0, 3]]))
    array([12.,  0.], dtype=float32)
    """
    width = np.maximum(boxes[..., 2] - boxes[..., 0], 0)  # (…)
    height = np.maximum(boxes[..., 3] - boxes[..., 1], 0)  # (…)
    return width * height


def intersection(a: Floats, b: Floats) -> Floats:
    """Common areas (N, M) in square pixels of each of ``a`` (N, 4) with each of ``b`` (M, 4)."""
    return _intersection(a[:, None], b)


def box_iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union (N, M) of each of ``a`` (N, 4) with each of ``b`` (M, 4).

    In [0, 1]; 0 for two boxes without area.

    >>> box_iou(np.float32([[0, 0, 4, 4]]), np.float32([[0, 0, 4, 4], [2, 0, 6, 4], [9, 9, 9, 9]]))
    array([[1.        , 0.33333334, 0.        ]], dtype=float32)
    """
    return paired_iou(a[:, None], b)


def paired_iou(a: Floats, b: Floats, areas: tuple[Floats, Floats] | None = None) -> Floats:
    """Intersection over union (…) of ``a`` (…, 4) with ``b`` (…, 4), box by box, by NumPy's broadcasting.

    ``areas`` (…) of both override those of the edges, where they are known more exactly.

    >>> paired_iou(np.float32([[0, 0, 4, 4], [0, 0, 2, 2]]), np.float32([[2, 0, 6, 4], [0, 0, 2, 2]]))
    array([0.33333334, 1.        ], dtype=float32)
    """
    both = _intersection(a, b)  # (…)
    area_a, area_b = areas or (box_area(a), box_area(b))  # (…), (…)
    return _ratio(both, area_a + area_b - both)


def paired_centre_distance(a: Floats, b: Floats) -> Floats:
    """Squared distance of the centres over the squared diagonal of the smallest enclosing box (…).

    ``a`` (…, 4) and ``b`` (…, 4) are compared box by box. The result is in [0, 1) for boxes whose edges are
    in order, and 0 where the enclosing box is a point. Zheng et al., "Distance-IoU Loss", AAAI 2020.
    """
    # Sums of two edges are twice a centre, hence the quarter.
    x = (a[..., 0] + a[..., 2]) - (b[..., 0] + b[..., 2])  # (…)
    y = (a[..., 1] + a[..., 3]) - (b[..., 1] + b[..., 3])  # (…)
    return _ratio((x * x + y * y) / 4, _span(a, b, 0) ** 2 + _span(a, b, 1) ** 2)


def xyxy_to_cxcywh(boxes: Floats) -> Floats:
    """Corners (N, 4) → centre, width and height (N, 4).

    >>> xyxy_to_cxcywh(np.float32([[1, 2, 5, 8]]))
    array([[3., 5., 4., 6.]], dtype=float32)
    """
    low, high = boxes[:, :2], boxes[:, 2:]  # (N, 2), (N, 2)
    return np.concatenate([(low + high) / 2, high - low], axis=1)


def cxcywh_to_xyxy(boxes: Floats) -> Floats:
    """Centre, width and height (N, 4) → corners (N, 4).

    >>> cxcywh_to_xyxy(np.float32([[3, 5, 4, 6]]))
    array([[1., 2., 5., 8.]], dtype=float32)
    """
    centre, half = boxes[:, :2], boxes[:, 2:] / 2  # (N, 2), (N, 2)
    return np.concatenate([centre - half, centre + half], axis=1)


def xyxy_to_xywh(boxes: Floats) -> Floats:
    """Corners (N, 4) → upper left corner, width and height (N, 4), as COCO writes them.

    >>> xyxy_to_xywh(np.float32([[1, 2, 5, 8]]))
    array([[1., 2., 4., 6.]], dtype=float32)
    """
    low, high = boxes[:, :2], boxes[:, 2:]  # (N, 2), (N, 2)
    return np.concatenate([low, high - low], axis=1)


def clip_boxes(boxes: Floats, size: tuple[float, float]) -> Floats:
    """The part (N, 4) of each of ``boxes`` (N, 4) inside an image of ``size`` (height, width) in pixels.

    A box outside the image keeps its place in the array and has the area 0.

    >>> clip_boxes(np.float32([[-2, 1, 9, 3], [8, 1, 9, 3]]), (4, 6))
    array([[0., 1., 6., 3.],
           [6., 1., 6., 3.]], dtype=float32)
    """
    height, width = size
    edges = np.array([width, height, width, height], boxes.dtype)  # (4,)
    return np.minimum(np.maximum(boxes, 0), edges)


def _intersection(a: Floats, b: Floats) -> Floats:
    """Common areas (…) of ``a`` (…, 4) and ``b`` (…, 4), box by box."""
    # One axis after the other: arrays (…, 2) would cost three times as much.
    return _common(a, b, 0) * _common(a, b, 1)


def _common(a: Floats, b: Floats, axis: int) -> Floats:
    """Overlap (…) of ``a`` (…, 4) and ``b`` (…, 4) along an axis (0 is x, 1 is y)."""
    low: Floats = np.maximum(a[..., axis], b[..., axis])  # (…)
    high: Floats = np.minimum(a[..., axis + 2], b[..., axis + 2])  # (…)
    return np.maximum(high - low, 0)


def _span(a: Floats, b: Floats, axis: int) -> Floats:
    """Sides (…) of the smallest boxes that enclose ``a`` (…, 4) and ``b`` (…, 4), box by box."""
    low = np.minimum(a[..., axis], b[..., axis])  # (…)
    side: Floats = np.maximum(a[..., axis + 2], b[..., axis + 2]) - low  # (…)
    return side


def _ratio(above: Floats, below: Floats) -> Floats:
    """``above`` / ``below`` (…), and 0 where both are 0."""
    ratio: Floats = above / (below + (below == 0))  # (…)
    return ratio
