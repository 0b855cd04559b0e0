"""Non-maximum suppression: of several boxes around one object, the most confident stays.

Four rules decide when a kept box suppresses a less confident one (t is the threshold):

- ``iou``: IoU > t, the plain rule of most detectors, and Darknet's default.
- ``greedynms``: IoU - (d²/c²)^0.6 > t, where d² is the squared distance of the centres and c² the squared
  diagonal of the smallest enclosing box. This is Darknet's rule; the exponent is fixed.
- ``diounms``: the same, with ``beta`` as exponent. Zheng et al., "Distance-IoU Loss", AAAI 2020.
- ``soft``: each box's confidence is multiplied by exp(-IoU²/0.5) for every more confident one, and the box is
  dropped below 0.001. Bodla et al., "Soft-NMS", ICCV 2017 (the Gaussian form).

The ratio d²/c² depends on the unit of each axis: to match Darknet on an image that is not square, give boxes
relative to the image's width and height. IoU does not depend on units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import paired_centre_distance, paired_iou
from yolo_cli.config import EVALUATION_CONF, SuppressionKind

__all__ = ["batched_nms", "nms", "overlap", "soft_nms", "suppress"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

GREEDY_EXPONENT = 0.6
SOFT_SIGMA = 0.5
MIN_SOFT_SCORE = EVALUATION_CONF
# Pairs of boxes compared at a time: few enough for their coordinates to stay in the CPU's cache.
PAIRS_AT_ONCE = 1 << 14
# With more overlaps per box on average than this, it pays to process the most confident boxes first.
CROWDED = 100


def nms(xyxy: Floats, confidence: Floats, threshold: float = 0.45) -> NDArray[np.intp]:
    """Positions (K,) of the ``xyxy`` (N, 4) that plain NMS keeps, the most confident first."""
    return batched_nms(xyxy, confidence, np.zeros(len(xyxy), np.int64), threshold)


def batched_nms(
    xyxy: Floats,
    confidence: Floats,
    class_id: Integers,
    threshold: float = 0.45,
    kind: SuppressionKind = "iou",
    beta: float = 0.6,
) -> NDArray[np.intp]:
    """Positions (K,) of the boxes that NMS class by class keeps, the most confident first.

    Args:
        xyxy: boxes (N, 4), finite, in any unit (see above).
        confidence: (N,).
        class_id: (N,); a box is only suppressed by boxes of its own class.
        threshold: how much two boxes of a class may overlap.
        kind: the rule; not "soft".
        beta: the exponent of ``diounms``.

    Raises:
        ValueError: if ``threshold`` is below 0, which would let boxes that do not touch suppress each other.

    >>> boxes = np.float32([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
    >>> batched_nms(boxes, np.float32([0.8, 0.9, 0.7]), np.array([3, 3, 3])).tolist()
    [1, 2]
    """
    if threshold < 0:
        raise ValueError(f"threshold must be at least 0, not {threshold}")
    order = np.argsort(-confidence, kind="stable")  # (N,)
    rule = _Rule(threshold, kind, beta)
    return order[rule.survivors(xyxy[order].astype(np.float64), class_id[order])]  # (K,)


def soft_nms(
    xyxy: Floats, confidence: Floats, class_id: Integers, conf: float = 0.0
) -> tuple[NDArray[np.intp], Floats]:
    """Positions (K,) of the boxes that Soft-NMS keeps, and the confidence (K,) that it leaves each.

    Args:
        xyxy: boxes (N, 4).
        confidence: (N,).
        class_id: (N,); a box lowers only the confidence of boxes of its own class.
        conf: confidence threshold, applied after the decay.
    """
    left = _soften(xyxy, confidence, class_id)  # (N,)
    order = np.argsort(-left, kind="stable")  # (N,)
    kept = order[(left[order] >= MIN_SOFT_SCORE) & (left[order] > conf)]  # (K,)
    return kept, left[kept]


def suppress(  # noqa: PLR0913 - three parallel arrays, and the options by name only
    xyxy: Floats,
    confidence: Floats,
    class_id: Integers,
    *,
    threshold: float = 0.45,
    kind: SuppressionKind = "iou",
    beta: float = 0.6,
    agnostic: bool = False,
    conf: float = 0.0,
) -> tuple[NDArray[np.intp], Floats]:
    """`batched_nms` or `soft_nms`, depending on ``kind``: positions (K,) and confidences (K,).

    With ``agnostic``, boxes of different classes suppress each other. For the other arguments see these two.
    """
    classes = np.zeros_like(class_id) if agnostic else class_id  # (N,)
    if kind == "soft":
        return soft_nms(xyxy, confidence, classes, conf)
    kept = batched_nms(xyxy, confidence, classes, threshold, kind, beta)
    return kept, confidence[kept]


def overlap(a: Floats, b: Floats, kind: SuppressionKind, beta: float = 0.6) -> Floats:
    """The measure (…) of ``a`` (…, 4) and ``b`` (…, 4) that the rule compares with its threshold.

    For ``soft``, which has no threshold, that is IoU.
    """
    iou = paired_iou(a, b)  # (…)
    if kind in ("iou", "soft"):
        return iou
    exponent = GREEDY_EXPONENT if kind == "greedynms" else beta
    return iou - paired_centre_distance(a, b) ** exponent


@dataclass(frozen=True, slots=True)
class _Rule:
    """When one box suppresses another. All boxes are float64, so that no product overflows."""

    threshold: float
    kind: SuppressionKind
    beta: float

    def suppresses(self, a: Floats, b: Floats) -> Bools:
        """Whether (…) ``a`` (…, 4) and ``b`` (…, 4) overlap too much, box by box."""
        too_much: Bools = overlap(a, b, self.kind, self.beta) > self.threshold  # (…)
        return too_much

    def survivors(self, boxes: Floats, classes: Integers) -> Bools:
        """Which (N,) of ``boxes`` (N, 4), the most confident first, stay among their ``classes`` (N,).

        If too many boxes overlap to compare every pair, the more confident half is processed first, and what
        it suppresses in the other half is removed.
        """
        count = len(boxes)
        near = _Neighbours.of(boxes, classes)
        if near.total <= CROWDED * count:
            hits = [pairs[:, self.suppresses(*boxes[pairs])] for pairs in near.pairs()]  # each (2, H)
            return _go_through(np.concatenate(hits, axis=1), count)
        half = count // 2
        stays = np.ones(count, bool)  # (N,)
        stays[:half] = self.survivors(boxes[:half], classes[:half])
        above = np.flatnonzero(stays[:half])  # (K,)
        stays[half:] = ~self._any_suppresses(boxes[above], classes[above], boxes[half:], classes[half:])
        below = half + np.flatnonzero(stays[half:])  # (L,)
        stays[below] = self.survivors(boxes[below], classes[below])
        return stays

    def _any_suppresses(
        self, above: Floats, above_class: Integers, boxes: Floats, classes: Integers
    ) -> Bools:
        """Whether (N,) each of ``boxes`` (N, 4) is suppressed by any of ``above`` (K, 4)."""
        gone = np.zeros(len(boxes), bool)  # (N,)
        step = max(1, PAIRS_AT_ONCE // max(1, len(boxes)))
        for start in range(0, len(above), step):
            rows = slice(start, start + step)
            same = above_class[rows, None] == classes  # (R, N)
            gone |= (same & self.suppresses(above[rows, None], boxes)).any(axis=0)
        return gone


@dataclass(frozen=True, slots=True, eq=False)
class _Neighbours:
    """Boxes sorted along x, class by class, so that each directly precedes those that it can overlap.

    Attributes:
        order: (N,), positions of the boxes, by class and left edge.
        y: (2, N), upper and lower edge of each, in that order.
        counts: (N,), number of boxes directly after each that begin before it ends.
    """

    order: NDArray[np.intp]
    y: Floats
    counts: NDArray[np.intp]

    @classmethod
    def of(cls, boxes: Floats, classes: Integers) -> _Neighbours:
        """Lay out ``boxes`` (N, 4) of ``classes`` (N,)."""
        left, right = boxes[:, 0], boxes[:, 2]  # (N,), (N,)
        width = np.ptp(boxes[:, ::2]) if len(boxes) else 0.0
        lane = classes * max(2.0 * float(width), 1.0)  # (N,), far enough apart that no two classes meet
        order = np.argsort(left + lane)  # (N,)
        after = np.arange(1, len(boxes) + 1)  # (N,)
        # To the right of its equals: rounding may make edges equal that are not.
        stop = np.searchsorted((left + lane)[order], (right + lane)[order], side="right")  # (N,)
        # A box whose edges are not in order overlaps nothing.
        return cls(order, boxes[order, 1::2].T.copy(), np.maximum(stop - after, 0))

    @property
    def total(self) -> int:
        """Number of pairs that overlap along x."""
        return int(self.counts.sum())

    def pairs(self) -> Iterator[NDArray[np.intp]]:
        """Every pair that touches, once: positions (2, P), the lower position in the first row."""
        ends = self.counts.cumsum()  # (N,)
        cuts = np.searchsorted(ends, np.arange(PAIRS_AT_ONCE, self.total, PAIRS_AT_ONCE)).tolist()
        for start, stop in pairwise([0, *cuts, len(ends)]):
            yield self._pairs_of(np.arange(start, stop))

    def _pairs_of(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """The pairs (2, P) in which one of ``rows`` (R,), places in the order, comes first."""
        counts = self.counts[rows]  # (R,)
        before = np.repeat(rows, counts)  # (P,)
        # Row r owns the places r + 1, r + 2, … after it: count all pairs through, and shift each row's.
        after = np.arange(len(before)) + np.repeat(rows + 1 + counts - counts.cumsum(), counts)  # (P,)
        top, low = self.y  # (N,), (N,)
        meet = (top[before] < low[after]) & (top[after] < low[before])  # (P,)
        return np.sort(self.order[np.stack([before[meet], after[meet]])], axis=0)


def _go_through(pairs: NDArray[np.intp], count: int) -> Bools:
    """Which (N,) of ``count`` boxes stay if in each of ``pairs`` (2, P) the first suppresses the second.

    The first always has the lower position, and suppresses only where it stays itself.
    """
    stays = bytearray(b"\1") * count
    above, below = pairs[:, np.argsort(pairs[0])].tolist()  # P, P
    # By rising position, so that when a box's turn comes, it is settled whether it stays.
    for winner, loser in zip(above, below, strict=True):
        if stays[winner]:
            stays[loser] = 0
    return np.frombuffer(stays, bool)


def _soften(xyxy: Floats, confidence: Floats, classes: Integers) -> Floats:
    """The confidence (N,) that Soft-NMS leaves each of ``xyxy`` (N, 4)."""
    left = confidence.copy()  # (N,)
    for one in np.unique(classes):
        waiting = np.flatnonzero(classes == one)  # (M,)
        while len(waiting):
            best = np.argmax(left[waiting])
            top, waiting = waiting[best], np.delete(waiting, best)
            iou = paired_iou(xyxy[top], xyxy[waiting])  # (M,)
            left[waiting] *= np.exp(-(iou**2) / SOFT_SIGMA)
            waiting = waiting[left[waiting] >= MIN_SOFT_SCORE]
    return left
