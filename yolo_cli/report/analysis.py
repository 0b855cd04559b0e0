"""Everything that a page shows, computed once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from yolo_cli.evaluation import (
    COCO,
    Conditions,
    Confusion,
    Diagnosis,
    EvaluationSet,
    Protocol,
    Reliability,
    Report,
    confusion_matrix,
    diagnose,
    evaluate,
    outcomes,
    reliability,
)

__all__ = ["RELIABLE_FROM", "Analysis", "analyse", "floored"]

RELIABLE_FROM = 0.05
"""Reliability is measured on detections of at least this confidence. The thousands below it, nearly all wrong
with a confidence that says so, would hide every error of the others."""

_USUAL_CONFIDENCE = 0.25  # where nothing was found, so that no confidence is the best
_STEPS = 100  # of the confidence threshold from 0 to 1


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The figures of one evaluation, and the operating point that a page shows first.

    Attributes:
        gathered: the detections and the ground truth.
        report: all figures.
        confidence: the confidence of the operating point: that of the greatest F1 over all classes, rounded
            down to hundredths, so that the detection that reached it stays.
        diagnosis: kinds of mistakes of all detections, with their costs.
        at_point: mistakes of the detections of at least ``confidence``.
        confusion: which class was taken for which, at ``confidence``.
        reliability: of detections from ``RELIABLE_FROM``.
    """

    gathered: EvaluationSet
    report: Report
    confidence: float
    diagnosis: Diagnosis
    at_point: Diagnosis
    confusion: Confusion
    reliability: Reliability

    def to_json(self) -> dict[str, Any]:
        """All figures as plain data: those of the report, and what the diagnosis adds."""
        counts = {kind: entry["count"] for kind, entry in self.at_point.to_json()["kinds"].items()}
        mistakes = {**self.diagnosis.to_json(), "confidence": self.confidence, "counts_there": counts}
        return {
            **self.report.to_json(),
            "mistakes": mistakes,
            "reliability": {"from_confidence": RELIABLE_FROM, **self.reliability.to_json()},
        }


def floored(confidence: float) -> float:
    """A confidence threshold in hundredths, rounded down: up, it would drop the detection it was taken from.

    >>> floored(0.2985), floored(0.29)
    (0.29, 0.29)
    """
    return math.floor(confidence * _STEPS + 1e-9) / _STEPS


def analyse(
    gathered: EvaluationSet, protocol: Protocol = COCO, conditions: Conditions | None = None
) -> Analysis:
    """Evaluate detections, and diagnose their mistakes."""
    report = evaluate(gathered, protocol, conditions)
    best = report.curve.best
    confidence = floored(best.confidence) if best and best.f1 > 0 else _USUAL_CONFIDENCE
    seen = gathered.above(RELIABLE_FROM)
    return Analysis(
        gathered,
        report,
        confidence,
        diagnose(gathered, protocol),
        diagnose(gathered.above(confidence), protocol),
        confusion_matrix(gathered, confidence, protocol.iou, protocol),
        reliability(outcomes(seen, protocol, protocol.iou)),
    )
