"""Why a detector said what it said at one point of an image, in data and drawn.

It runs the detector's own steps, so that it tells what detection does.
"""

from __future__ import annotations

from yolo_cli.boxes import clip_boxes
from yolo_cli.detectors import Detector
from yolo_cli.explanation.drawing import draw_explanation
from yolo_cli.explanation.fates import Contest, Fate, Rule, check_point
from yolo_cli.explanation.regions import Judged, Region, RegionExplanation, explain_regions
from yolo_cli.explanation.yolo import Answer, Explanation, Place, explain_grid
from yolo_cli.images import Image

__all__ = [
    "Answer",
    "Explanation",
    "Fate",
    "Judged",
    "Place",
    "Region",
    "RegionExplanation",
    "draw_explanation",
    "explain",
]


def explain(detector: Detector, image: Image, point: tuple[float, float]) -> Explanation | RegionExplanation:
    """Say why ``detector`` found what it found at ``point`` (x, y in pixels) of ``image``.

    Raises:
        UsageError: if the point lies outside the image, or the suppression is soft, which removes nothing.
    """
    check_point(image, point)
    rule = Rule.of(detector.config, detector.card)
    trace = detector.trace(image)
    boxes = clip_boxes(trace.selection.candidates.xyxy, (image.height, image.width))  # (N, 4)
    contest = Contest(trace.selection, boxes, rule)
    if trace.grid is not None:
        return explain_grid(trace.grid, contest, point)
    assert trace.proposed is not None
    return explain_regions(trace.proposed, contest, point)
