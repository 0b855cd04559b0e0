"""Fit a calibration on some images, and see on others what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from yolo_cli.evaluation import (
    CalibrationMap,
    EvaluationSet,
    Reliability,
    evaluate,
    fit_calibration,
    outcomes,
    reliability,
)

__all__ = ["Calibrated", "Seen", "calibrate", "halves"]


@dataclass(frozen=True, slots=True)
class Seen:
    """How far confidences can be trusted, and how good the detections are."""

    reliability: Reliability
    map50: float | None
    map50_95: float | None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration, and the test images before and after it.

    Attributes:
        calibration: the map.
        before: on the test images, with the model's own confidences.
        after: the same detections, with those of the map.
    """

    calibration: CalibrationMap
    before: Seen
    after: Seen


def calibrate(fit: EvaluationSet, test: EvaluationSet, floor: float) -> Calibrated:
    """Fit on one set of images and measure on another.

    Args:
        fit: what the map is fitted on, all detections.
        test: what it is measured on.
        floor: the detections whose own confidence is at least this are those whose reliability is measured,
            before and after alike. Thousands below it are nearly all wrong, say so, and would hide the rest.

    Raises:
        DataError: if there are too few detections.
    """
    calibration = fit_calibration(outcomes(fit))
    return Calibrated(
        calibration, _seen(test, test.above(floor), None), _seen(test, test.above(floor), calibration)
    )


def _seen(whole: EvaluationSet, upper: EvaluationSet, calibration: CalibrationMap | None) -> Seen:
    report = evaluate(_mapped(whole, calibration))
    return Seen(reliability(outcomes(_mapped(upper, calibration))), report.map50, report.map50_95)


def _mapped(gathered: EvaluationSet, calibration: CalibrationMap | None) -> EvaluationSet:
    """The same detections with other confidences."""
    if calibration is None:
        return gathered
    found = gathered.found
    confidence = calibration.apply(found.confidence)  # (D,)
    return replace(gathered, found=replace(found, confidence=confidence))


def halves(count: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(count,): for each of ``count`` things drawn by lot, whether it is in the first half."""
    return np.random.default_rng(seed).permutation(count) < (count + 1) // 2
