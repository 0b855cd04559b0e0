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
    "area",
    "centre_distance",
    "ciou",
    "clip",
    "cxcywh_to_xyxy",
    "diou",
    "giou",
    "intersection",
    "iou",
    "paired_centre_distance",
    "paired_iou",
    "xywh_to_xyxy",
    "xyxy_to_cxcywh",
    "xyxy_to_xywh",
]

Floats = NDArray[np.floating[Any]]


def area(boxes: Floats) -> Floats:
    """Areas (…) in square pixels of ``boxes`` (…, 4).

    >>> area(np.float32([[0, 0, 4, 3], [4, 0, 0, 3]]))
    array([12.,  0.], dtype=float32)
    """
    width = np.maximum(boxes[..., 2] - boxes[..., 0], 0)  # (…)
    height = np.maximum(boxes[..., 3] - boxes[..., 1], 0)  # (…)
    return width * height


def intersection(a: Floats, b: Floats) -> Floats:
    """Common areas (N, M) in square pixels of each of ``a`` (N, 4) with each of ``b`` (M, 4)."""
    return _intersection(a[:, None], b)


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union (N, M) of each of ``a`` (N, 4) with each of ``b`` (M, 4).

    It lies in [0, 1]; two boxes without area have 0.

    >>> iou(np.float32([[0, 0, 4, 4]]), np.float32([[0, 0, 4, 4], [2, 0, 6, 4], [9, 9, 9, 9]]))
    array([[1.        , 0.33333334, 0.        ]], dtype=float32)
    """
    return paired_iou(a[:, None], b)


def giou(a: Floats, b: Floats) -> Floats:
    """Generalised IoU (N, M): IoU less the share of the smallest enclosing box that neither box fills.

    It lies in (-1, 1], so it still says how far apart two boxes are that do not touch. An enclosing box
    without area costs nothing. Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019.
    """
    both = intersection(a, b)  # (N, M)
    union = area(a)[:, None] + area(b) - both  # (N, M)
    width, height = (np.maximum(_span(a[:, None], b, axis), 0) for axis in (0, 1))  # (N, M), (N, M)
    hull = width * height  # (N, M)
    return _ratio(both, union) - _ratio(np.maximum(hull - union, 0), hull)


def diou(a: Floats, b: Floats) -> Floats:
    """Distance IoU (N, M): IoU less :func:`centre_distance`. It lies in (-1, 1].

    Zheng et al., "Distance-IoU Loss", AAAI 2020.
    """
    return iou(a, b) - centre_distance(a, b)


def ciou(a: Floats, b: Floats) -> Floats:
    """Complete IoU (N, M): distance IoU less a term that grows as the aspects of two boxes differ.

    With v = (4/π²)(atan(w/h) - atan(w'/h'))², that term is v² / (1 - IoU + v), and 0 where v is.
    Zheng et al., "Distance-IoU Loss", AAAI 2020.
    """
    overlap = iou(a, b)  # (N, M)
    turn = _aspect(a)[:, None] - _aspect(b)  # (N, M), radians
    v = turn**2 * (4 / np.pi**2)  # (N, M), in [0, 1]
    return overlap - centre_distance(a, b) - _ratio(v * v, 1 - overlap + v)


def centre_distance(a: Floats, b: Floats) -> Floats:
    """Squared distance of the centres over the squared diagonal of the smallest enclosing box (N, M).

    It lies in [0, 1) for boxes whose edges are in order, and is 0 where the enclosing box is a point.
    Zheng et al., "Distance-IoU Loss", AAAI 2020.
    """
    return paired_centre_distance(a[:, None], b)


def paired_iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union (…) of ``a`` (…, 4) with ``b`` (…, 4), box by box, by NumPy's broadcasting.

    >>> paired_iou(np.float32([[0, 0, 4, 4], [0, 0, 2, 2]]), np.float32([[2, 0, 6, 4], [0, 0, 2, 2]]))
    array([0.33333334, 1.        ], dtype=float32)
    """
    both = _intersection(a, b)  # (…)
    return _ratio(both, area(a) + area(b) - both)


def paired_centre_distance(a: Floats, b: Floats) -> Floats:
    """The figure of :func:`centre_distance` (…) for ``a`` (…, 4) and ``b`` (…, 4), box by box."""
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


def xywh_to_xyxy(boxes: Floats) -> Floats:
    """Upper left corner, width and height (N, 4) → corners (N, 4).

    >>> xywh_to_xyxy(np.float32([[1, 2, 4, 6]]))
    array([[1., 2., 5., 8.]], dtype=float32)
    """
    low, size = boxes[:, :2], boxes[:, 2:]  # (N, 2), (N, 2)
    return np.concatenate([low, low + size], axis=1)


def clip(boxes: Floats, width: float, height: float) -> Floats:
    """The part (N, 4) of each of ``boxes`` (N, 4) inside an image of ``width`` by ``height`` pixels.

    A box that lies outside keeps its place in the array and has the area 0.

    >>> clip(np.float32([[-2, 1, 9, 3], [8, 1, 9, 3]]), width=6, height=4)
    array([[0., 1., 6., 3.],
           [6., 1., 6., 3.]], dtype=float32)
    """
    edges = np.array([width, height, width, height], boxes.dtype)  # (4,)
    return np.minimum(np.maximum(boxes, 0), edges)


def _intersection(a: Floats, b: Floats) -> Floats:
    """Common areas (…) of ``a`` (…, 4) and ``b`` (…, 4), box by box."""
    # One axis after the other: arrays (…, 2) would cost three times as much.
    return _common(a, b, 0) * _common(a, b, 1)


def _common(a: Floats, b: Floats, axis: int) -> Floats:
    """Lengths (…) that the sides of ``a`` (…, 4) and ``b`` (…, 4) share along an axis (0 is x, 1 is y)."""
    low: Floats = np.maximum(a[..., axis], b[..., axis])  # (…)
    high: Floats = np.minimum(a[..., axis + 2], b[..., axis + 2])  # (…)
    return np.maximum(high - low, 0)


def _span(a: Floats, b: Floats, axis: int) -> Floats:
    """Sides (…) of the smallest boxes that enclose ``a`` (…, 4) and ``b`` (…, 4), box by box."""
    low = np.minimum(a[..., axis], b[..., axis])  # (…)
    side: Floats = np.maximum(a[..., axis + 2], b[..., axis + 2]) - low  # (…)
    return side


def _aspect(boxes: Floats) -> Floats:
    """The angles (N,) whose tangent is width over height: between 0 and π/2, also for a side of 0."""
    size = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)  # (N, 2)
    return np.arctan2(size[:, 0], size[:, 1])


def _ratio(above: Floats, below: Floats) -> Floats:
    """``above`` over ``below`` (…), where ``above`` is 0 wherever ``below`` is: then the ratio is 0 too."""
    ratio: Floats = above / np.maximum(below, np.finfo(below.dtype).tiny)  # (…)
    return ratio
