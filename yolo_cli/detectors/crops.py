"""Crop boxes from an image, all resized to one size."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.letterbox import GREY

__all__ = ["warp"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]


def warp(rgb: Pixels, boxes: Floats, side: int, context: float = 0.0) -> Pixels:
    """Crop each box, with some context, and warp it to a square of ``side`` pixels.

    R-CNN's "anisotropic warp with context" (Girshick, Donahue, Darrell and Malik, CVPR 2014, appendix A).

    Args:
        rgb: the image, uint8 (height, width, 3).
        boxes: (N, 4), pixels of the image; edges are rounded to whole pixels.
        side: of the result, in pixels.
        context: the fraction of the result on each edge that shows the surroundings of the box.

    Returns:
        uint8 (N, side, side, 3), grey outside the image.
    """
    grow = context / (1 - 2 * context)  # of the box's side, so that it fills 1 - 2 · context of the result
    size = boxes[:, 2:] - boxes[:, :2]  # (N, 2)
    low = np.rint(boxes[:, :2] - grow * size).astype(int)  # (N, 2)
    high = np.maximum(np.rint(boxes[:, 2:] + grow * size).astype(int), low + 1)  # (N, 2)
    out = np.full((len(boxes), side, side, 3), GREY, np.uint8)
    for square, start, stop in zip(out, low.tolist(), high.tolist(), strict=True):
        _fill(square, rgb, start, stop)
    return out


def _fill(square: Pixels, rgb: Pixels, start: list[int], stop: list[int]) -> None:
    """Resize the part of ``rgb`` from ``start`` (x, y) to ``stop`` into its place in ``square``."""
    side = len(square)
    spans = []  # for x and y: from where to where in the image, and in the square
    for low, high, length in zip(start, stop, rgb.shape[1::-1], strict=True):
        first, last = max(low, 0), min(high, length)
        if first >= last:
            return
        begin, end = (round((edge - low) * side / (high - low)) for edge in (first, last))
        spans.append((first, last, min(begin, side - 1), max(end, min(begin, side - 1) + 1)))
    (left, right, x1, x2), (top, bottom, y1, y2) = spans
    shrinks = (right - left) * (bottom - top) > (x2 - x1) * (y2 - y1)
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    square[y1:y2, x1:x2] = cv2.resize(rgb[top:bottom, left:right], (x2 - x1, y2 - y1), interpolation=kind)
