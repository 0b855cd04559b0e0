"""Explain any detector's predictions at one point of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from yolo_cli.boxes import clip_boxes
from yolo_cli.detectors import Detector
from yolo_cli.explanation.grid import Explanation, explain_grid
from yolo_cli.explanation.outcomes import Rule, Suppression, check_point
from yolo_cli.explanation.regions import RegionExplanation, explain_regions
from yolo_cli.images import Image

__all__ = ["explain", "to_dict"]


def explain(detector: Detector, image: Image, point: tuple[float, float]) -> Explanation | RegionExplanation:
    """Explain the predictions of ``detector`` at ``point`` (x, y in pixels) of ``image``.

    Raises:
        UsageError: if the point is outside the image, or the suppression is soft, which removes nothing.
    """
    check_point(image, point)
    rule = Rule.of(detector.config, detector.card)
    trace = detector.trace(image)
    boxes = clip_boxes(trace.selection.candidates.xyxy, (image.height, image.width))  # (N, 4)
    suppression = Suppression(trace.selection, boxes, rule)
    if trace.grid is not None:
        return explain_grid(trace.grid, suppression, point)
    assert trace.proposed is not None
    return explain_regions(trace.proposed, suppression, point)


def to_dict(explained: Explanation | RegionExplanation, class_names: Sequence[str]) -> dict[str, Any]:
    """The explanation as plain data, with the name of each class beside its id."""
    values = asdict(explained)
    entries = [entry for name in ("predictions", "best", "outcomes") for entry in values.get(name, ())]
    for entry in entries:
        entry["class_name"] = class_names[entry["class_id"]]
        if "scores" in entry:
            entry["scores"] = dict(zip(class_names, entry["scores"], strict=True))
    return values
