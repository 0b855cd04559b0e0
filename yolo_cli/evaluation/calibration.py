"""Confidence that means something: of all detections at 0.8, four of five should be right.

After Küppers et al., "Multivariate Confidence Calibration for Object Detection", CVPR Workshops 2020. Their
expected detection calibration error (D-ECE), over confidence alone, sorts detections into bins of equal
width and is the mean difference between the confidence and the precision of a bin, weighed by its number of
detections. Right is what the protocol's matching at an overlap of 0.5 finds right; ignored detections are
left out; ground truths that nothing found play no part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, UsageError
from yolo_cli.evaluation.curves import OperatingPoint
from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.matching import assign, ranked
from yolo_cli.evaluation.protocol import COCO, Protocol
from yolo_cli.evaluation.report import ClassFigures

__all__ = [
    "CalibrationMap",
    "Outcomes",
    "Reliability",
    "fit_calibration",
    "outcomes",
    "reliability",
    "thresholds_for_precision",
]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

_LEAST = 20  # detections a step of the map rests on at the least: fewer follow chance
_TILT = 0.01  # share of the identity in the map, so that it rises everywhere


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """N detections that count: how confident each was (N,), and whether it was right (N,)."""

    confidence: Floats
    right: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """A reliability diagram of B bins of equal width, the first starting at 0 and the last ending at 1.

    Attributes:
        count: (B,), detections in each.
        confidence: (B,), their mean confidence; NaN in an empty bin.
        precision: (B,), the share of them that are right; NaN in an empty bin.
    """

    count: Integers
    confidence: Floats
    precision: Floats

    @property
    def error(self) -> float | None:
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
        return {"d_ece": self.error, "bins": bins}


def outcomes(gathered: EvaluationSet, protocol: Protocol = COCO, iou: float = 0.5) -> Outcomes:
    """The detections of an evaluation set that are right or wrong, ignored ones left out."""
    ranking = ranked(gathered, protocol.max_detections)
    made = assign(gathered, ranking, protocol, iou)
    return Outcomes(ranking.confidence[~made.ignored], made.hit[~made.ignored])


def reliability(seen: Outcomes, bins: int = 20) -> Reliability:
    """Sort detections into ``bins`` by confidence; one on an edge belongs to the bin above, 1 to the last.

    >>> seen = Outcomes(np.array([0.9, 0.9, 0.1, 0.3]), np.array([True, False, False, False]))
    >>> round(reliability(seen, bins=2).error, 3)  # (2 × |0.9 - 0.5| + 2 × |0.2 - 0|) / 4
    0.3
    """
    place = np.minimum((seen.confidence * bins).astype(np.int64), bins - 1)  # (N,)
    count = np.bincount(place, minlength=bins)  # (B,)
    some = np.where(count > 0, count, np.nan)  # (B,): a mean over nothing is not a number
    mean = np.bincount(place, seen.confidence, minlength=bins) / some  # (B,)
    return Reliability(count, mean, np.bincount(place, seen.right, minlength=bins) / some)


@dataclass(frozen=True, slots=True)
class CalibrationMap:
    """A strictly rising map of confidence, straight between its knots.

    What was ordered stays ordered, so average precision stays what it was.

    Attributes:
        given: confidences, strictly rising from 0 to 1.
        true: what each becomes, strictly rising, in [0, 1].

    Raises:
        DataError: if the knots are not like that.
    """

    given: tuple[float, ...]
    true: tuple[float, ...]

    def __post_init__(self) -> None:
        given, true = np.array(self.given), np.array(self.true)  # (K,), (K,)
        if len(given) < 2 or len(given) != len(true) or given[0] != 0 or given[-1] != 1:
            raise DataError("a calibration map needs as many values as knots, the knots from 0 to 1")
        if not ((np.diff(given) > 0).all() and (np.diff(true) > 0).all() and true[0] >= 0 and true[-1] <= 1):
            raise DataError("the knots and values of a calibration map must rise and lie in 0 to 1")

    def apply(self, confidence: Floats) -> Floats:
        """What confidences (…) in [0, 1] become: float64 (…)."""
        return np.interp(confidence, self.given, self.true)

    def to_json(self) -> dict[str, Any]:
        """The map as plain data."""
        return {"given": list(self.given), "true": list(self.true)}

    @classmethod
    def from_json(cls, data: Mapping[str, Sequence[float]]) -> CalibrationMap:
        """What :meth:`to_json` wrote.

        Raises:
            DataError: if it is no calibration map.
        """
        try:
            given, true = (tuple(float(value) for value in data[name]) for name in ("given", "true"))
        except (KeyError, TypeError, ValueError) as fault:
            raise DataError("a calibration map needs two lists of numbers, 'given' and 'true'") from fault
        return cls(given, true)


def fit_calibration(seen: Outcomes) -> CalibrationMap:
    """The rising map that brings confidence closest to precision: isotonic regression, made strict.

    Detections are put into groups of ``_LEAST`` by confidence; neighbouring groups whose precision does not
    rise are pooled (pool adjacent violators; Ayer et al., Annals of Mathematical Statistics 26, 1955). The
    knots are the means of the pools, joined by straight lines, and tilted by a share of the identity.

    Raises:
        DataError: if there are fewer than ``_LEAST`` detections.
    """
    if len(seen.confidence) < _LEAST:
        raise DataError(
            f"{len(seen.confidence)} detections are too few to calibrate on; take at least {_LEAST}"
        )
    given, true = _pooled(*_grouped(seen))  # (P,), (P,)
    inner = (given > 0) & (given < 1)  # (P,)
    knots = np.concatenate([[0.0], given[inner], [1.0]])  # (K,)
    level = np.interp(knots, given, true)  # (K,): level beyond the outermost pools
    tilted = (1 - _TILT) * level + _TILT * knots  # (K,)
    return CalibrationMap(tuple(knots.tolist()), tuple(tilted.tolist()))


def thresholds_for_precision(
    per_class: Sequence[ClassFigures], precision: float
) -> dict[str, OperatingPoint | None]:
    """For each class the lowest confidence at which so much of what is found is right.

    None for a class that reaches it nowhere. The figures are those of the images at hand: on few
    detections, others may fall short of them.

    Raises:
        UsageError: if ``precision`` does not lie above 0 and at most at 1.
    """
    if not 0 < precision <= 1:
        raise UsageError(f"--target-precision is {precision}, and must lie above 0 and at most at 1")
    return {figures.class_name: figures.curve.reaching(precision) for figures in per_class}


def _grouped(seen: Outcomes) -> tuple[Floats, Floats, Floats]:
    """Groups of about ``_LEAST`` detections, equal confidences together: confidence, precision and count.

    Returns:
        three arrays (G,); the first rises strictly.
    """
    order = np.argsort(seen.confidence, kind="stable")  # (N,)
    confidence = seen.confidence[order]  # (N,)
    cuts = np.searchsorted(confidence, confidence[::_LEAST])  # back to the first of equals
    start = np.unique(cuts)  # (G,)
    if len(start) > 1 and len(confidence) - start[-1] < _LEAST:
        start = start[:-1]
    count = np.diff(np.append(start, len(confidence))).astype(float)  # (G,)
    right = np.add.reduceat(seen.right[order].astype(float), start)  # (G,)
    return np.add.reduceat(confidence, start) / count, right / count, count


def _pooled(given: Floats, true: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Pool neighbours (G,) until ``true`` rises strictly: two arrays (P,), weighted means of each pool."""
    pools: list[tuple[float, float, float]] = []  # (given, true, weight)
    for pool in zip(given.tolist(), true.tolist(), weight.tolist(), strict=True):
        merged = pool
        while pools and pools[-1][1] >= merged[1]:
            before = pools.pop()
            total = before[2] + merged[2]
            merged = (
                (before[0] * before[2] + merged[0] * merged[2]) / total,
                (before[1] * before[2] + merged[1] * merged[2]) / total,
                total,
            )
        pools.append(merged)
    table = np.array(pools)  # (P, 3)
    return table[:, 0], table[:, 1]
