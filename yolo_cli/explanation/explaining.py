"""Explain any detector's predictions at one point of an image."""

from __future__ import annotations

from yolo_cli.boxes import clip_boxes
from yolo_cli.detectors import Detector
from yolo_cli.errors import UsageError
from yolo_cli.explanation.grid import CellExplanation, explain_grid
from yolo_cli.explanation.outcomes import Rule, Suppression, check_point
from yolo_cli.explanation.regions import RegionExplanation, explain_regions
from yolo_cli.images import Image

__all__ = ["explain"]


def explain(
    detector: Detector, image: Image, point: tuple[float, float]
) -> CellExplanation | RegionExplanation:
    """Explain the predictions of ``detector`` at ``point`` (x, y in pixels) of ``image``.

    Raises:
        UsageError: if the point is outside the image, the suppression is soft, which removes nothing, or the
            detector runs on tiles.
    """
    if detector.config.tile is not None:
        raise UsageError("--tile: explain follows one run of the network; leave it out, or explain a crop")
    check_point(image, point)
    rule = Rule.of(detector.config, detector.card)
    trace = detector.trace(image)
    boxes = clip_boxes(trace.selection.candidates.xyxy, (image.height, image.width))  # (N, 4)
    suppression = Suppression(trace.selection, boxes, rule)
    if trace.grid is not None:
        return explain_grid(trace.grid, suppression, point)
    assert trace.proposed is not None
    return explain_regions(trace.proposed, suppression, point)
