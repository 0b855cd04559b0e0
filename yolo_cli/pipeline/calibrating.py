"""Fit a calibration to a detector on one part of a data set, and measure it on another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yolo_cli.datasets import Dataset
from yolo_cli.errors import UsageError
from yolo_cli.evaluation import (
    CalibrationResult,
    ClassMatch,
    EvaluationSet,
    calibrate,
    gather,
    random_halves,
)
from yolo_cli.pipeline.evaluating import EvaluationData, detect_samples
from yolo_cli.pipeline.outcome import Watch
from yolo_cli.text import Jsonable
from yolo_cli.text_table import columns

if TYPE_CHECKING:
    from yolo_cli.detectors.protocol import Detector

__all__ = ["Calibrated", "CalibrationParts", "calibrate_detector", "calibration_parts", "uncalibrated"]


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationParts:
    """Images to fit on, and others to measure on.

    Attributes:
        fit: images to fit on.
        test: images to measure on.
        halves: whether the two are random halves of one split.
    """

    fit: EvaluationData
    test: EvaluationData
    halves: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Calibrated(Jsonable):
    """A calibration with its figures and its images.

    Attributes:
        result: the map, and the figures before and after it.
        parts: the images.
        faults: one line for each image that could not be read.
        files: what was written.
        notes: one line for everything that a reader of the figures must know.
    """

    result: CalibrationResult
    parts: CalibrationParts
    faults: tuple[str, ...]
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Calibrated {', '.join(map(str, self.files))}: {self.summary}>"

    def to_dict(self) -> dict[str, Any]:
        """The figures before and after, and the map, as plain data."""
        figures = {
            name: {
                "d_ece": it.reliability.expected_calibration_error,
                "map50": it.map50,
                "map50_95": it.map50_95,
            }
            for name, it in (("before", self.result.before), ("after", self.result.after))
        }
        counts = {"fitted_on": len(self.parts.fit.part), "measured_on": len(self.parts.test.part)}
        files = {"files": [str(path) for path in self.files]}
        return {**counts, **figures, "calibration": self.result.calibration.to_json(), **files}

    def to_text(self) -> str:
        """The figures before and after as a table for people."""
        value = self.to_dict()
        rows = [["", "before", "after"]]
        for key, name in (("d_ece", "D-ECE"), ("map50", "mAP50"), ("map50_95", "mAP50-95")):
            figures = (value["before"][key], value["after"][key])
            rows.append([name, *("–" if figure is None else f"{figure:.4f}" for figure in figures)])
        head = f"fitted on {value['fitted_on']} images, measured on {value['measured_on']} others\n\n"
        return head + columns(rows) + "\nsaved " + ", ".join(value["files"]) + "\n"

    @property
    def summary(self) -> str:
        """The effect in one line for the model card: figures, test images, fitting images."""
        before, after = (
            f"{it.reliability.expected_calibration_error or 0:.3f}"
            for it in (self.result.before, self.result.after)
        )
        fit, test = self.parts.fit, self.parts.test
        fitted = "the other half" if self.parts.halves else fit.name
        return (
            f"D-ECE {before} before and {after} after calibration, measured on {test.name} "
            f"({len(test.part)} images), fitted on {fitted} ({len(fit.part)} images)"
        )


def calibration_parts(data: EvaluationData, test: str | None, seed: int) -> CalibrationParts:
    """The images to fit on and those to measure on: two splits, or random halves of one.

    Raises:
        UsageError: if there is no such split, or only one image.
    """
    if test is not None:
        if test == data.split:
            raise UsageError(f"--test {test}: is the split used for fitting; name another, or none")
        return CalibrationParts(data, replace(data, part=data.whole.in_split(test)), False)
    samples = data.part.samples
    if len(samples) < 2:
        raise UsageError(f"{data.whole.location}: has one image, which cannot be halved")
    first = random_halves(len(samples), seed).tolist()
    fit, measured = (
        replace(data.part, samples=tuple(s for s, half in zip(samples, first, strict=True) if half is wanted))
        for wanted in (True, False)
    )
    return CalibrationParts(replace(data, part=fit), replace(data, part=measured), True)


def uncalibrated(detector: Detector) -> Detector:
    """The detector without its calibration, if it has one.

    Raises:
        UsageError: if it is not a YOLO detector.
    """
    card = detector.card
    if card.detector != "yolo":
        raise UsageError(f"{card.name}: is a {card.detector}, and only YOLO models can be calibrated")
    return detector.with_card(replace(card, calibration=None))


def calibrate_detector(
    detector: Detector,
    parts: CalibrationParts,
    classes: ClassMatch,
    *,
    batch: int = 1,
    watch: Watch | None = None,
) -> Calibrated:
    """Detect on both parts, fit on one and measure on the other.

    Args:
        detector: without a calibration.
        parts: the images.
        classes: from `match_classes`.
        batch: images per call of the detector.
        watch: wraps the stream of outcomes, to show progress.

    Raises:
        DataError: if no image can be read, or there are too few detections.
    """
    faults: list[str] = []

    def gathered(data: Dataset) -> EvaluationSet:
        found, unread = detect_samples(detector, data, batch=batch, watch=watch)
        faults.extend(unread)
        return gather(data.samples, found, classes)

    result = calibrate(gathered(parts.fit.part), gathered(parts.test.part))
    return Calibrated(result, parts, tuple(faults))
