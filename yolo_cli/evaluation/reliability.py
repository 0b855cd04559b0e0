"""How well confidence agrees with precision: of all detections at 0.8, four of five should be right.

After Küppers et al., "Multivariate Confidence Calibration for Object Detection", CVPR Workshops 2020. Their
detection expected calibration error (D-ECE), over confidence alone, sorts detections into bins of equal
width and is the mean difference between the confidence and the precision of a bin, weighted by its number of
detections. A detection is right if the protocol matches it at an IoU of 0.5; ignored detections are left out;
missed ground-truth boxes do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.matching import Matches

__all__ = ["RELIABLE_FROM", "Reliability", "Scored", "reliability", "scored"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

RELIABLE_FROM = 0.05
"""Minimum confidence of the detections that reliability is measured on. The thousands below it are nearly all
wrong, with a confidence to match, and would hide the error of the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """N detections that are not ignored: the confidence of each (N,), and whether it is correct (N,)."""

    confidence: Floats
    correct: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """A reliability diagram of B bins of equal width, the first starting at 0 and the last ending at 1.

    Attributes:
        count: (B,), detections in each.
        confidence: (B,), their mean confidence; NaN in an empty bin.
        precision: (B,), the fraction of them that are correct; NaN in an empty bin.
    """

    count: Integers
    confidence: Floats
    precision: Floats

    @property
    def expected_calibration_error(self) -> float | None:
        """D-ECE, in [0, 1]; None without detections."""
        full = self.count > 0  # (B,)
        if not full.any():
            return None
        gap = np.abs(self.confidence[full] - self.precision[full])  # (full bins,)
        return float(np.average(gap, weights=self.count[full]))

    def to_json(self) -> dict[str, Any]:
        """The diagram as plain data: one entry for each bin that is not empty."""
        width = 1 / len(self.count)
        bins = [
            {
                "from": place * width,
                "to": (place + 1) * width,
                "count": int(self.count[place]),
                "confidence": float(self.confidence[place]),
                "precision": float(self.precision[place]),
            }
            for place in np.flatnonzero(self.count).tolist()
        ]
        return {"d_ece": self.expected_calibration_error, "bins": bins}


def scored(matches: Matches, iou: float = 0.5) -> Scored:
    """The detections at one of ``matches.thresholds``, without ignored ones."""
    made = matches.assignment(iou)
    return Scored(matches.ranking.confidence[~made.ignored], made.hit[~made.ignored])


def reliability(detections: Scored, bins: int = 20) -> Reliability:
    """Bin detections by confidence; an edge belongs to the bin above, and 1 to the last.

    >>> detections = Scored(np.array([0.9, 0.9, 0.1, 0.3]), np.array([True, False, False, False]))
    >>> diagram = reliability(detections, bins=2)
    >>> round(diagram.expected_calibration_error, 3)  # (2 × |0.9 - 0.5| + 2 × |0.2 - 0|) / 4
    0.3
    """
    place = np.minimum((detections.confidence * bins).astype(np.int64), bins - 1)  # (N,)
    count = np.bincount(place, minlength=bins)  # (B,)
    some = np.where(count > 0, count, np.nan)  # (B,): NaN for an empty bin
    mean = np.bincount(place, detections.confidence, minlength=bins) / some  # (B,)
    return Reliability(count, mean, np.bincount(place, detections.correct, minlength=bins) / some)
