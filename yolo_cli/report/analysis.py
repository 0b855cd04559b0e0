"""Everything that a page shows, worked out once."""

from __future__ import annotations

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

__all__ = ["RELIABLE_FROM", "Analysis", "analyse"]

RELIABLE_FROM = 0.05
"""Reliability is measured on detections of at least this confidence. Below lie thousands that nobody sees;
nearly all are wrong and say so, and among them no error of the others would show."""

_USUAL_CONFIDENCE = 0.25  # where nothing was found, so that no confidence is the best


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What one evaluation came to.

    Attributes:
        gathered: what was judged.
        report: all figures.
        confidence: the operating point: the confidence of the greatest F1, all classes in one pool.
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


def analyse(
    gathered: EvaluationSet, protocol: Protocol = COCO, conditions: Conditions | None = None
) -> Analysis:
    """Judge an evaluation set, and find out what kind of mistakes there are."""
    report = evaluate(gathered, protocol, conditions)
    best = report.curve.best
    confidence = best.confidence if best and best.f1 > 0 else _USUAL_CONFIDENCE
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
