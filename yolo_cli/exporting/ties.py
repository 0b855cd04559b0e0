"""Boxes that one of two programs has alone because rounding decides, while the model is the same.

Suppression compares confidences with each other and overlaps with a threshold, a box has its best class, and
the number of boxes of an image is limited. Where two programs compute almost the same, they still decide
otherwise where two of these are as good as equal, and what depends on such a decision, too.

So our candidates go through suppression once more with three values (Kleene's logic, 1938): whatever a
program computes that is nowhere further apart than `LOWEST_IOU` and `LARGEST_DIFFERENCE`, it keeps a
candidate for certain, or not for certain, or one cannot know.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou, clip_boxes
from yolo_cli.detections import Detections
from yolo_cli.neighbours import Neighbours
from yolo_cli.suppression import Rule, overlap

__all__ = ["LARGEST_DIFFERENCE", "LOWEST_IOU", "NEAR", "Choice"]

Bools = NDArray[np.bool_]
Integers = NDArray[np.integer[Any]]

LOWEST_IOU = 0.99
LARGEST_DIFFERENCE = 0.005
"""Exports in float formats agree if no pair of boxes is further apart in IoU or in confidence."""

NEAR = 2 * LARGEST_DIFFERENCE
"""Two confidences that are not further apart may change places."""

# Two overlaps that are not further apart, too: 1 - IoU is a metric (Jaccard's distance).
_OVERLAP = 2 * (1 - LOWEST_IOU)


def _no_slots() -> Integers:
    return np.empty(0, int)


@dataclass(frozen=True, slots=True)
class Choice:
    """How both programs choose among the candidates of an image.

    Attributes:
        conf: the threshold of confidence.
        rule: of suppression.
        size: height and width of the image, in which units the rule measures.
        most: boxes of an image that are returned.
        candidates: ours before suppression, not clipped, from less than ``conf`` on; none if not known.
        slots: (N,), which predicted each of them. One may have several, of classes that are as good as
            equally confident.
    """

    conf: float
    rule: Rule
    size: tuple[int, int]
    most: int = 300
    candidates: Detections = field(default_factory=Detections)
    slots: Integers = field(default_factory=_no_slots)

    def either_way(self, ours: Detections, theirs: Detections) -> tuple[Bools, Bools]:
        """Which of our boxes (N,) such a program may lack, and which of another's (M,) it may have."""
        if not len(self.candidates):
            return np.zeros(len(ours), bool), np.zeros(len(theirs), bool)
        kept, gone = self.decided()
        clipped = replace(self.candidates, xyxy=clip_boxes(self.candidates.xyxy, self.size))
        may_lack = ~_in_common(ours, clipped[kept], 0.9999, 1e-5)
        return may_lack, _in_common(theirs, clipped[~gone], LOWEST_IOU, LARGEST_DIFFERENCE)

    def decided(self) -> tuple[Bools, Bools]:
        """Which candidates each such program returns, and which none does: (N,) each."""
        by, of, certainly = self._pairs()
        unsure = self.candidates.confidence <= self.conf + LARGEST_DIFFERENCE  # (N,), the threshold is exact
        unsure |= np.bincount(self.slots, minlength=1)[self.slots] > 1
        kept, gone = np.zeros_like(unsure), np.zeros_like(unsure)
        known = -1
        while known < (known := int(kept.sum() + gone.sum())):
            gone[of[certainly & kept[by]]] = True
            kept = ~unsure & ~gone
            kept[of[~gone[by]]] = False
        return self._cut(kept, gone)

    def _pairs(self) -> tuple[Integers, Integers, Bools]:
        """Which candidate (P,) may suppress which (P,); and whether it does for certain, if it is kept."""
        boxes = self.candidates.xyxy / np.tile(self.size[::-1], 2)  # (N, 4)
        near = Neighbours.of(boxes, self.candidates.class_id, max(0.0, self.rule.threshold - _OVERLAP))
        pairs = np.concatenate([np.empty((2, 0), int), *near.pairs()], axis=1)
        by, of = np.concatenate([pairs, pairs[::-1]], axis=1)
        more = self.candidates.confidence[by] - self.candidates.confidence[of]
        over = overlap(boxes[by], boxes[of], self.rule.kind, self.rule.beta) - self.rule.threshold
        may = (more >= -NEAR) & (over >= -_OVERLAP) & (self.slots[by] != self.slots[of])
        certainly = (more > NEAR) & (over > _OVERLAP)
        return by[may], of[may], certainly[may]

    def _cut(self, kept: Bools, gone: Bools) -> tuple[Bools, Bools]:
        """The same of the ``most`` that are returned of those that suppression keeps."""
        confidence = self.candidates.confidence  # (N,)
        before = _count_above(confidence[~gone], confidence - NEAR)
        at_least = _count_above(confidence[kept], confidence + NEAR)
        return kept & (before <= self.most), gone | (at_least >= self.most)


def _count_above(values: NDArray[Any], limits: NDArray[Any]) -> Integers:
    """How many of ``values`` are above each of ``limits`` (N,)."""
    return len(values) - np.searchsorted(np.sort(values), limits, side="right")


def _in_common(a: Detections, b: Detections, iou: float, difference: float) -> Bools:
    """Which boxes (N,) of ``a`` are as good as equal to one of ``b``."""
    near = np.abs(a.confidence[:, None] - b.confidence) <= difference
    same = near & (a.class_id[:, None] == b.class_id)
    return np.asarray((same & (box_iou(a.xyxy, b.xyxy) >= iou)).any(axis=1))
