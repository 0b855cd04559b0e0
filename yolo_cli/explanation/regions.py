"""For region detectors: the windows or proposals over a point, and the outcomes of their boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.trace import RegionOutput, RegionScores
from yolo_cli.explanation.outcomes import BoxOutcome, Suppression, covers

__all__ = ["Region", "RegionExplanation", "RegionPrediction", "explain_regions"]

Box = tuple[float, ...]

BEST = 10  # regions over the point that are described individually


@dataclass(frozen=True, slots=True)
class Region:
    """One window or proposal.

    Attributes:
        number: its index among all regions of the image.
        origin: a description of its origin.
        xyxy: in pixels of the image; it may extend beyond it.
    """

    number: int
    origin: str
    xyxy: Box


@dataclass(frozen=True, slots=True)
class RegionPrediction:
    """The prediction for one region.

    Attributes:
        source: the region.
        class_id: the most likely class.
        confidence: of that class.
        scores: of every class, (C,).
        xyxy: the box predicted for that class, in pixels of the image: the region itself if the detector has
            no box regression.
    """

    source: Region
    class_id: int
    confidence: float
    scores: tuple[float, ...]
    xyxy: Box


@dataclass(frozen=True, slots=True)
class RegionExplanation:
    """The regions over one point, their predictions, and the outcomes of their boxes.

    Attributes:
        point: x and y in pixels of the image.
        regions: number of evaluated regions of the image.
        over: boxes of the regions that contain the point, best first.
        best: the best of these, by the highest score of any class.
        outcomes: of boxes above the confidence that contain the point, or whose region does, and of those
            that suppressed them, most confident first.
        threshold: IoU threshold for NMS.
        rule: the rule of suppression.
    """

    point: tuple[float, float]
    regions: int
    over: tuple[Box, ...]
    best: tuple[RegionPrediction, ...]
    outcomes: tuple[BoxOutcome[Region], ...]
    threshold: float
    rule: str


def explain_regions(
    proposed: RegionOutput, suppression: Suppression, point: tuple[float, float]
) -> RegionExplanation:
    """The regions over ``point`` (x, y in pixels of the image), and the outcomes of their boxes."""
    boxes, scores = proposed.regions, proposed.predictions.scores  # (N, 4), (N, C)
    over = np.flatnonzero(covers(boxes, point))  # (P,)
    over = over[np.argsort(-scores[over].max(axis=1), kind="stable")]  # (P,), the best first
    source = suppression.selection.candidates.slot  # (M,), the region of each candidate
    regions = _regions(proposed, np.union1d(over[:BEST], source))
    shown = covers(suppression.xyxy, point) | covers(boxes[source], point)  # (M,)
    return RegionExplanation(
        point,
        len(boxes),
        tuple(tuple(box) for box in boxes[over].tolist()),
        tuple(_prediction(proposed.predictions, regions[number]) for number in over[:BEST].tolist()),
        suppression.outcomes(shown, regions.__getitem__),
        suppression.rule.threshold,
        suppression.rule.kind,
    )


def _regions(proposed: RegionOutput, numbers: NDArray[np.integer[Any]]) -> dict[int, Region]:
    """The regions ``numbers`` (R,), by number."""
    origins, edges = proposed.origins(numbers), proposed.regions[numbers].tolist()
    return {
        number: Region(number, origin, tuple(box))
        for number, origin, box in zip(numbers.tolist(), origins, edges, strict=True)
    }


def _prediction(predictions: RegionScores, region: Region) -> RegionPrediction:
    """The prediction for a region."""
    scores, drawn = predictions.scores[region.number], predictions.xyxy[region.number]  # (C,), (C or 1, 4)
    best = int(scores.argmax())
    box = drawn[best] if len(drawn) > 1 else drawn[0]  # (4,)
    return RegionPrediction(region, best, float(scores[best]), tuple(scores.tolist()), tuple(box.tolist()))
