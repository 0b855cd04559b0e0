"""Boxes that one of two programs has alone because rounding decides, while the model is the same.

Suppression compares an overlap with a threshold, and a box has its best class. Where two programs compute
almost the same, they still decide otherwise where the overlap is as good as the threshold, or two classes, or
two boxes of an object, are as good as equally confident. What such a box suppresses is decided so, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.detections import Detections
from yolo_cli.suppression import Rule, overlap

__all__ = ["LARGEST_DIFFERENCE", "LOWEST_IOU", "Choice", "explained"]

Bools = NDArray[np.bool_]

LOWEST_IOU = 0.99
LARGEST_DIFFERENCE = 0.005
"""Exports in float formats agree if no pair of boxes is further apart in IoU or in confidence."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How both programs choose among the boxes of an image.

    Attributes:
        conf: the threshold of confidence.
        rule: of suppression.
        size: height and width of the image, in which units the rule measures.
        candidates: our boxes before suppression, where they are known.
    """

    conf: float
    rule: Rule
    size: tuple[int, int]
    candidates: Detections = field(default_factory=Detections)

    def overlap(self, a: Detections, b: Detections) -> NDArray[np.floating[Any]]:
        """What the rule compares with its threshold (N, M); -inf for boxes of two classes."""
        unit = np.tile(self.size[::-1], 2)
        found = overlap((a.xyxy / unit)[:, None], b.xyxy / unit, self.rule.kind, self.rule.beta)
        return np.where(a.class_id[:, None] == b.class_id, found, -np.inf)

    def swaps(self, ours: Detections, theirs: Detections) -> bool:
        """Whether of two of our boxes, as good as equally confident, each program kept another.

        Args:
            ours: the one box that we kept.
            theirs: the one box of the other program.
        """
        same = self.candidates.class_id == theirs.class_id
        near = np.abs(self.candidates.confidence - theirs.confidence) <= LARGEST_DIFFERENCE
        like = same & near & (box_iou(self.candidates.xyxy, theirs.xyxy)[:, 0] >= LOWEST_IOU)
        equal = abs(float(ours.confidence[0] - theirs.confidence[0])) <= LARGEST_DIFFERENCE
        return equal and bool(like.any()) and float(self.overlap(ours, theirs)[0, 0]) > self.rule.threshold


def explained(
    ours: Detections, theirs: Detections, alone: tuple[Bools, Bools], choice: Choice
) -> tuple[Bools, Bools]:
    """Which of the boxes that are ``alone``, (N,) and (M,), are so by rounding only."""
    measured = choice.overlap(ours, theirs)  # (N, M)
    return _explained((ours, theirs), alone, measured, choice.rule.threshold)


def _explained(
    found: tuple[Detections, Detections], alone: tuple[Bools, Bools], measured: Any, threshold: float
) -> tuple[Bools, Bools]:
    margin = 1 - LOWEST_IOU
    swapped = alone[0][:, None] & alone[1] & _other_class(*found)  # (N, M)
    # Of each of one program's boxes (N, M), and of the other's (M, N): whether it could be suppressed.
    below = found[0].confidence[:, None] - found[1].confidence
    could = below <= LARGEST_DIFFERENCE, -below.T <= LARGEST_DIFFERENCE
    both = measured, measured.T
    done: list[Bools] = [np.asarray(swapped.any(axis=1)), np.asarray(swapped.any(axis=0))]
    for k in (0, 1):
        done[k] |= alone[k] & ((np.abs(both[k] - threshold) <= margin) & could[k]).any(axis=1)
    reached = -1
    while reached < (reached := sum(int(part.sum()) for part in done)):
        for k in (0, 1):  # what a box that the other program does not have suppresses
            done[k] |= alone[k] & ((both[k] > threshold - margin) & could[k] & done[1 - k]).any(axis=1)
    return done[0], done[1]


def _other_class(a: Detections, b: Detections) -> Bools:
    """Where two boxes are as good as equal, but for their classes (N, M)."""
    near = np.abs(a.confidence[:, None] - b.confidence) <= LARGEST_DIFFERENCE
    other = a.class_id[:, None] != b.class_id
    return np.asarray(near & other & (box_iou(a.xyxy, b.xyxy) >= LOWEST_IOU))
