"""Cutout: hide rectangles, so that a network does not rely on one part of an object.

DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_area, intersection
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth
from yolo_cli.letterbox import GREY

__all__ = ["MOST_HOLES", "cut_out"]

Pixels = NDArray[np.uint8]

MOST_HOLES = 3
# A hole's sides are at least this fraction of the longest side that is allowed.
SHORTEST = 0.2


def cut_out(
    rgb: Pixels, ground_truth: GroundTruth, rng: np.random.Generator, config: AugmentConfig
) -> tuple[Pixels, GroundTruth]:
    """Fill up to ``MOST_HOLES`` random rectangles with grey.

    A hole that would leave less than the fraction ``config.min_visible`` of any box visible, earlier holes
    included, is not cut, so the ground truth needs no change.

    Returns:
        An image (height, width, 3), which is ``rgb`` itself if nothing is hidden, and the ground truth.
    """
    if rng.random() >= config.cutout:
        return rgb, ground_truth
    holed = rgb.copy()
    boxes = ground_truth.xyxy  # (N, 4)
    left = (1 - config.min_visible) * box_area(boxes)  # (N,), area of each that may still be hidden
    for hole in _holes(rgb.shape[0], rgb.shape[1], rng, config.cutout_side):
        hidden = intersection(boxes, hole[None].astype(boxes.dtype))[:, 0]  # (N,)
        if (hidden <= left).all():
            left = left - hidden  # (N,)
            x1, y1, x2, y2 = hole.tolist()
            holed[y1:y2, x1:x2] = GREY
    return holed, ground_truth


def _holes(height: int, width: int, rng: np.random.Generator, longest: float) -> NDArray[np.int64]:
    """One to ``MOST_HOLES`` rectangles (K, 4), xyxy in whole pixels, inside the image."""
    count = int(rng.integers(1, MOST_HOLES + 1))
    frame = np.array([width, height])  # (2,)
    sides = np.rint(frame * longest * rng.uniform(SHORTEST, 1, (count, 2))).astype(np.int64)  # (K, 2)
    corner = np.rint((frame - sides) * rng.random((count, 2))).astype(np.int64)  # (K, 2)
    return np.concatenate([corner, corner + sides], axis=1)
