"""Fit a calibration: a monotonic map from confidence to observed precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.matching import match
from yolo_cli.evaluation.reliability import RELIABLE_FROM, Reliability, Scored, reliability, scored
from yolo_cli.evaluation.report import evaluate

__all__ = [
    "CalibrationFigures",
    "CalibrationMap",
    "CalibrationResult",
    "calibrate",
    "fit_calibration",
    "random_halves",
]

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

_MINIMUM = 20  # minimum detections per step of the map; fewer would fit noise
_TILT = 0.01  # fraction of the identity in the map, which makes it strictly increasing


@dataclass(frozen=True, slots=True)
class CalibrationMap:
    """A strictly increasing, piecewise linear map of confidence.

    It preserves the order of detections, and so average precision.

    Attributes:
        given: confidences, strictly increasing from 0 to 1.
        true: calibrated confidences, strictly increasing, in [0, 1].

    Raises:
        DataError: if the knots violate this.
    """

    given: tuple[float, ...]
    true: tuple[float, ...]

    def __post_init__(self) -> None:
        given, true = np.array(self.given), np.array(self.true)  # (K,), (K,)
        if len(given) < 2 or len(given) != len(true) or given[0] != 0 or given[-1] != 1:
            raise DataError("a calibration map needs as many values as knots, the knots from 0 to 1")
        if not ((np.diff(given) > 0).all() and (np.diff(true) > 0).all() and true[0] >= 0 and true[-1] <= 1):
            raise DataError("the knots and values of a calibration map must increase and be within 0 to 1")

    def apply(self, confidence: Floats) -> Floats:
        """Calibrate confidences (…) in [0, 1]: float64 (…)."""
        return np.interp(confidence, self.given, self.true)

    def to_json(self) -> dict[str, Any]:
        """The map as plain data."""
        return {"given": list(self.given), "true": list(self.true)}

    @classmethod
    def from_json(cls, data: Mapping[str, Sequence[float]]) -> CalibrationMap:
        """The inverse of :meth:`to_json`.

        Raises:
            DataError: if it is not a calibration map.
        """
        try:
            given, true = (tuple(float(value) for value in data[name]) for name in ("given", "true"))
        except (KeyError, TypeError, ValueError) as fault:
            raise DataError("a calibration map needs two lists of numbers, 'given' and 'true'") from fault
        return cls(given, true)


def fit_calibration(detections: Scored) -> CalibrationMap:
    """Isotonic regression of precision on confidence, made strictly increasing.

    Detections are grouped by confidence, ``_MINIMUM`` per group; neighbouring groups whose precision does not
    increase are pooled (pool adjacent violators; Ayer et al., Annals of Mathematical Statistics 26, 1955).
    The knots are the means of the pools, joined by straight lines, and blended with a fraction of the
    identity.

    Raises:
        DataError: if there are fewer than ``_MINIMUM`` detections.
    """
    if len(detections.confidence) < _MINIMUM:
        found = len(detections.confidence)
        raise DataError(f"too few detections to calibrate on: {found}; take at least {_MINIMUM}")
    given, true = _pooled(*_grouped(detections))  # (P,), (P,)
    inner = (given > 0) & (given < 1)  # (P,)
    knots = np.concatenate([[0.0], given[inner], [1.0]])  # (K,)
    level = np.interp(knots, given, true)  # (K,): constant beyond the outermost pools
    tilted = (1 - _TILT) * level + _TILT * knots  # (K,)
    return CalibrationMap(tuple(knots.tolist()), tuple(tilted.tolist()))


@dataclass(frozen=True, slots=True)
class CalibrationFigures:
    """Reliability of the confidences, and average precision."""

    reliability: Reliability
    map50: float | None
    map50_95: float | None


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """A calibration, and the test images before and after it.

    Attributes:
        calibration: the map.
        before: on the test images, with the model's own confidences.
        after: the same detections, with calibrated confidences.
    """

    calibration: CalibrationMap
    before: CalibrationFigures
    after: CalibrationFigures

    @property
    def helped(self) -> bool:
        """Whether the calibration error on the test images decreased."""
        before, after = (it.reliability.expected_calibration_error or 0.0 for it in (self.before, self.after))
        return after < before


def calibrate(
    fit: EvaluationSet, test: EvaluationSet, reliable_from: float = RELIABLE_FROM
) -> CalibrationResult:
    """Fit on one set of images and measure on another.

    Args:
        fit: the detections that the map is fitted on.
        test: the detections that it is measured on.
        reliable_from: minimum uncalibrated confidence of the detections that reliability is measured on.

    Raises:
        DataError: if there are too few detections.
    """
    calibration = fit_calibration(scored(match(fit)))
    return CalibrationResult(
        calibration, _figures(test, reliable_from, None), _figures(test, reliable_from, calibration)
    )


def random_halves(count: int, seed: int) -> Bools:
    """(count,): whether each of ``count`` items is in the first of two random halves."""
    return np.random.default_rng(seed).permutation(count) < (count + 1) // 2


def _figures(
    test: EvaluationSet, reliable_from: float, calibration: CalibrationMap | None
) -> CalibrationFigures:
    report = evaluate(_mapped(test, calibration))
    upper = match(_mapped(test.above(reliable_from), calibration))
    return CalibrationFigures(reliability(scored(upper)), report.map50, report.map50_95)


def _mapped(gathered: EvaluationSet, calibration: CalibrationMap | None) -> EvaluationSet:
    """The same detections with other confidences."""
    if calibration is None:
        return gathered
    found = gathered.found
    confidence = calibration.apply(found.confidence)  # (D,)
    return replace(gathered, found=replace(found, confidence=confidence))


def _grouped(detections: Scored) -> tuple[Floats, Floats, Floats]:
    """Groups of about ``_MINIMUM`` detections, equal confidences together: confidence, precision and count.

    Returns:
        three arrays (G,); the first is strictly increasing.
    """
    order = np.argsort(detections.confidence, kind="stable")  # (N,)
    confidence = detections.confidence[order]  # (N,)
    cuts = np.searchsorted(confidence, confidence[::_MINIMUM])  # back to the first of equal confidences
    start = np.unique(cuts)  # (G,)
    if len(start) > 1 and len(confidence) - start[-1] < _MINIMUM:
        start = start[:-1]
    count = np.diff(np.append(start, len(confidence))).astype(float)  # (G,)
    right = np.add.reduceat(detections.correct[order].astype(float), start)  # (G,)
    return np.add.reduceat(confidence, start) / count, right / count, count


def _pooled(given: Floats, true: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Pool neighbours (G,) until ``true`` is strictly increasing: two arrays (P,), weighted means."""
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
