"""The figures of a report, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yolo_cli.evaluation import (
    COCO,
    RELIABLE_FROM,
    Conditions,
    Confusion,
    Diagnosis,
    EvaluationSet,
    Matches,
    Protocol,
    Reliability,
    Report,
    TideRule,
    confusion_matrix,
    diagnose,
    match,
    reliability,
    report_of,
    scored,
)

__all__ = ["RELIABLE_FROM", "Analysis", "analyse"]

_USUAL_CONFIDENCE = 0.25  # if nothing was detected, so that there is no best confidence


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """The figures of one evaluation, and the default operating point of the page.

    Attributes:
        matches: the detections and ground truth, matched.
        report: all figures.
        confidence: the confidence threshold of the operating point: that of the greatest F1 over all classes.
        diagnosis: kinds of mistakes of all detections, with their costs.
        at_point: mistakes of the detections of at least ``confidence``.
        confusion: which class was taken for which, at ``confidence``.
        reliability: of detections from ``RELIABLE_FROM``.
    """

    matches: Matches
    report: Report
    confidence: float
    diagnosis: Diagnosis
    at_point: Diagnosis
    confusion: Confusion
    reliability: Reliability

    @property
    def gathered(self) -> EvaluationSet:
        """The detections and ground truth."""
        return self.matches.evaluation_set

    def to_json(self) -> dict[str, Any]:
        """All figures as plain data: those of the report and of the diagnosis."""
        counts = {kind: entry["count"] for kind, entry in self.at_point.to_json()["kinds"].items()}
        mistakes = {**self.diagnosis.to_json(), "confidence": self.confidence, "counts_there": counts}
        return {
            **self.report.to_json(),
            "mistakes": mistakes,
            "reliability": {"from_confidence": RELIABLE_FROM, **self.reliability.to_json()},
        }


def analyse(
    gathered: EvaluationSet,
    protocol: Protocol = COCO,
    conditions: Conditions | None = None,
    rule: TideRule = "tidecv",
) -> Analysis:
    """Evaluate detections, and diagnose their errors."""
    matches = match(gathered, protocol)
    report = report_of(matches, conditions)
    best = report.curve.best
    confidence = best.confidence if best and best.f1 else _USUAL_CONFIDENCE
    return Analysis(
        matches,
        report,
        confidence,
        diagnose(matches, rule),
        diagnose(matches.above(confidence), rule),
        confusion_matrix(matches, confidence, protocol.iou),
        reliability(scored(matches.above(RELIABLE_FROM), protocol.iou)),
    )
