"""Why a detector said what it said at one point of an image, in data and drawn.

It runs the detector's own steps, so that it tells what detection does.
"""

from __future__ import annotations

from typing import overload

from yolo_cli.detectors import RegionDetector, YoloDetector
from yolo_cli.explanation.drawing import draw_explanation
from yolo_cli.explanation.fates import Fate
from yolo_cli.explanation.regions import Judged, Region, RegionExplanation, explain_regions
from yolo_cli.explanation.yolo import Answer, Explanation, Place, explain_yolo
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


@overload
def explain(detector: YoloDetector, image: Image, point: tuple[float, float]) -> Explanation: ...
@overload
def explain(detector: RegionDetector, image: Image, point: tuple[float, float]) -> RegionExplanation: ...
def explain(
    detector: YoloDetector | RegionDetector, image: Image, point: tuple[float, float]
) -> Explanation | RegionExplanation:
    """Say why ``detector`` found what it found at ``point`` (x, y in pixels) of ``image``.

    Raises:
        UsageError: if the point lies outside the image, or the suppression is soft, which removes nothing.
    """
    if isinstance(detector, YoloDetector):
        return explain_yolo(detector, image, point)
    return explain_regions(detector, image, point)
