"""Precision, recall and F1 by confidence: what remains when everything less confident is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "OperatingPoint", "precision_recall_curve"]

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a detector does when everything below ``confidence`` is dropped.

    Attributes:
        precision: the fraction of the remaining detections that are right; None if none remains.
        recall: the fraction of the ground truths that they find.
    """

    confidence: float
    precision: float | None
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 where both are."""
        return float(_f1(np.float64(self.precision or 0.0), np.float64(self.recall)))


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """N points, one for each confidence that occurs.

    Attributes:
        ground_truths: how many ground truths there are.
        confidence: (N,), falling.
        precision: (N,), the fraction of detections of at least that confidence that are right.
        recall: (N,), the fraction of ground truths that they find; rising. Without ground truths it is 0.
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

    @property
    def rounded(self) -> Curve:
        """The points at thresholds of three decimals, as people see and set them.

        Confidences are rounded down, so that a threshold keeps the detections that its point counts.
        """
        thousandths = np.floor(self.confidence * 1000 + 1e-9)  # (N,); 0.57 × 1000 is a hair below 570
        thousandths -= thousandths / 1000 > self.confidence
        last = np.flatnonzero(
            np.append(thousandths[1:] != thousandths[:-1], True)[: len(thousandths)]
        )  # (P,)
        return self._at_places(last, thousandths[last] / 1000)

    @property
    def best(self) -> OperatingPoint | None:
        """The threshold of three decimals with the greatest F1; None if nothing was found."""
        curve = self.rounded
        return curve._point(int(curve.f1.argmax())) if len(curve.confidence) else None

    def at(self, confidence: float) -> OperatingPoint:
        """What remains at ``confidence``."""
        last = int(np.searchsorted(-self.confidence, -confidence, side="right")) - 1
        if last < 0:
            return OperatingPoint(confidence, None, 0.0)
        return OperatingPoint(confidence, float(self.precision[last]), float(self.recall[last]))

    def reaching(self, precision: float) -> OperatingPoint | None:
        """The threshold of three decimals of greatest recall whose precision is at least so much, if any."""
        curve = self.rounded
        enough = np.flatnonzero((curve.precision >= precision) & (curve.recall > 0))
        return curve._point(int(enough[-1])) if len(enough) else None

    def thinned(self, points: int = 200) -> Curve:
        """At most about so many points, evenly along the recall, for drawing; the best stays among them."""
        if len(self.confidence) <= points:
            return self
        curve = self.rounded
        even = np.linspace(0.0, curve.recall[-1], points - 3)
        places = np.searchsorted(curve.recall, even)  # (points - 3,)
        keep = np.unique([0, *places.tolist(), int(curve.f1.argmax()), len(curve.recall) - 1])
        return curve._at_places(keep, curve.confidence[keep])

    def _at_places(self, places: Integers, confidence: Floats) -> Curve:
        return Curve(self.ground_truths, confidence, self.precision[places], self.recall[places])

    def _point(self, place: int) -> OperatingPoint:
        parts = (self.confidence[place], self.precision[place], self.recall[place])
        return OperatingPoint(*(float(part) for part in parts))


def precision_recall_curve(confidence: Floats, hit: Bools, ground_truths: int) -> Curve:
    """The curve of detections in any order.

    Args:
        confidence: (N,), of those detections that are not ignored.
        hit: (N,), which of them are right.
        ground_truths: how many ground truths there are.

    >>> curve = precision_recall_curve(np.array([0.9, 0.5, 0.5]), np.array([True, False, True]), 4)
    >>> curve.precision.round(3).tolist(), curve.recall.tolist()  # the two at 0.5 stay or go together
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
