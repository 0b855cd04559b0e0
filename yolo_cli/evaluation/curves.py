"""Precision, recall and F1 as functions of the confidence threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "OperatingPoint", "precision_recall_curve"]

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Precision and recall at the threshold ``confidence``.

    Attributes:
        precision: fraction of the remaining detections that are right; None if none remains.
        recall: fraction of the ground-truth boxes that they find; None without any.
    """

    confidence: float
    precision: float | None
    recall: float | None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall; 0 where both are, None without ground-truth boxes."""
        if self.recall is None:
            return None
        return float(_f1(np.float64(self.precision or 0.0), np.float64(self.recall)))


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The curve: N points, one per distinct confidence.

    Attributes:
        ground_truths: number of ground-truth boxes.
        confidence: (N,), descending.
        precision: (N,), fraction of detections of at least that confidence that are right.
        recall: (N,), fraction of ground-truth boxes that they find, ascending; 0 without ground-truth boxes.
    """

    ground_truths: int
    confidence: Floats
    precision: Floats
    recall: Floats

    @property
    def f1(self) -> Floats:
        """(N,): the harmonic mean of precision and recall."""
        f1: Floats = _f1(self.precision, self.recall)
        return f1

    def rounded(self, steps: int) -> Curve:
        """The points at thresholds that are multiples of 1 / ``steps``, as people see and set them.

        Confidences are rounded down, so that a threshold keeps the detections of its point.
        """
        step = np.floor(self.confidence * steps + 1e-9)  # (N,); 0.57 × 100 is a hair below 57
        step -= step / steps > self.confidence
        last = np.flatnonzero(np.append(step[1:] != step[:-1], True)[: len(step)])  # (P,)
        return self._at_places(last, step[last] / steps)

    @property
    def best(self) -> OperatingPoint | None:
        """The threshold of two decimals with the greatest F1; None if nothing was found."""
        curve = self.rounded(100)
        return curve._point(int(curve.f1.argmax())) if len(curve.confidence) else None

    def at(self, confidence: float) -> OperatingPoint:
        """The point at the threshold ``confidence``."""
        last = self._last_at(confidence)
        if last < 0:
            return OperatingPoint(confidence, None, 0.0 if self.ground_truths else None)
        return replace(self._point(last), confidence=confidence)

    def reaching(self, precision: float) -> OperatingPoint | None:
        """The threshold of three decimals with the best recall at this precision or more, if any."""
        curve = self.rounded(1000)
        enough = np.flatnonzero((curve.precision >= precision) & (curve.recall > 0))
        return curve._point(int(enough[-1])) if len(enough) else None

    def thinned(self, points: int = 200) -> Curve:
        """About ``points`` points for drawing, evenly along the recall, including the best."""
        if self.best is None or len(self.confidence) <= points:
            return self
        curve = self.rounded(1000)
        even = np.linspace(0.0, curve.recall[-1], points - 3)
        places = np.searchsorted(curve.recall, even)  # (points - 3,)
        keep = np.unique([0, *places.tolist(), curve._last_at(self.best.confidence), len(curve.recall) - 1])
        return curve._at_places(keep, curve.confidence[keep])

    def _last_at(self, confidence: float) -> int:
        """The place of the last point of at least ``confidence``; -1 if there is none."""
        return int(np.searchsorted(-self.confidence, -confidence, side="right")) - 1

    def _at_places(self, places: Integers, confidence: Floats) -> Curve:
        return Curve(self.ground_truths, confidence, self.precision[places], self.recall[places])

    def _point(self, place: int) -> OperatingPoint:
        recall = float(self.recall[place]) if self.ground_truths else None
        return OperatingPoint(float(self.confidence[place]), float(self.precision[place]), recall)


def precision_recall_curve(confidence: Floats, hit: Bools, ground_truths: int) -> Curve:
    """The curve of detections in any order.

    Args:
        confidence: (N,), of the detections that are not ignored.
        hit: (N,), whether each is a true positive.
        ground_truths: number of ground-truth boxes.

    >>> curve = precision_recall_curve(np.array([0.9, 0.5, 0.5]), np.array([True, False, True]), 4)
    >>> curve.precision.round(3).tolist(), curve.recall.tolist()  # both at 0.5 form one point
    ([1.0, 0.667], [0.25, 0.5])
    """
    order = np.argsort(-confidence, kind="stable")  # (N,)
    falling = confidence[order]  # (N,)
    last_of_equals = np.flatnonzero(np.append(falling[1:] != falling[:-1], True)[: len(falling)])  # (P,)
    hits = np.cumsum(hit[order])[last_of_equals]  # (P,)
    return Curve(
        ground_truths, falling[last_of_equals], hits / (last_of_equals + 1), hits / max(ground_truths, 1)
    )


def _f1(precision: Floats | np.float64, recall: Floats | np.float64) -> Any:
    """The harmonic mean (…) of precision (…) and recall (…); 0 where both are."""
    return 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
