"""Worked examples: `explain_overlap`, `explain_targets`, `explain_loss` and `explain_stages`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from yolo_cli.api.detection import Predictor
from yolo_cli.api.explaining import open_explained
from yolo_cli.api.options import ExplainOptions
from yolo_cli.errors import UsageError
from yolo_cli.inputs import OneImage, read_one

if TYPE_CHECKING:
    from yolo_cli.detectors import Detector
    from yolo_cli.images import Image
    from yolo_cli.worked import BoxOverlap, Encoding, LossTerms, Stages

__all__ = ["explain_loss", "explain_overlap", "explain_stages", "explain_targets"]

Box = tuple[float, ...]


def explain_overlap(
    image: OneImage,
    boxes: Sequence[Box],
    weights: str | os.PathLike[str] | Predictor | None = None,
    **options: Unpack[ExplainOptions],
) -> BoxOverlap:
    """Work out the intersection over union of two boxes.

    Args:
        image: as for `explain`.
        boxes: two boxes, x1, y1, x2, y2 in pixels; of one, the other is the most confident detection.
        weights: as for `explain`; used for one box only.
        **options: see `ExplainOptions`.

    Raises:
        UserError: if the image or the model cannot be used, a box is not within the image, or there are not
            one or two of them.
    """
    from yolo_cli.worked import show_overlap

    shown = read_one(image)
    if len(boxes) not in (1, 2):
        raise UsageError(f"{len(boxes)} boxes: give one --box, to compare with the best detection, or two")
    if len(boxes) == 2:
        return show_overlap(shown, boxes[0], boxes[1], ("first box", "second box"))
    name, found = _best(open_explained(weights, options), shown)
    return show_overlap(shown, boxes[0], found, ("your box", f"detected {name}"))


def explain_targets(
    image: OneImage,
    box: Box | None = None,
    weights: str | os.PathLike[str] | Predictor | None = None,
    **options: Unpack[ExplainOptions],
) -> Encoding:
    """Encode a box as a YOLO model does in training: its cells, its anchors, and tx, ty, tw, th of each.

    Args:
        image: as for `explain`.
        box: x1, y1, x2, y2 in pixels; None takes the most confident detection.
        weights: a YOLO model with anchors, as for `explain`.
        **options: see `ExplainOptions`.

    Raises:
        UserError: if the image or the model cannot be used, or the box is not within the image.
    """
    from yolo_cli.worked import show_encoding

    shown, detector = read_one(image), open_explained(weights, options)
    return show_encoding(detector, shown, _best(detector, shown)[1] if box is None else box)


def explain_loss(
    image: OneImage,
    objects: Sequence[tuple[str, Box]],
    weights: str | os.PathLike[str] | Predictor | None = None,
    **options: Unpack[ExplainOptions],
) -> LossTerms:
    """Compare a YOLO model's predictions with the ground truth of an image, term by term, as in training.

    Args:
        image: as for `explain`.
        objects: class name and box of each object, x1, y1, x2, y2 in pixels.
        weights: a YOLO model with anchors, as for `explain`.
        **options: see `ExplainOptions`.

    Raises:
        UserError: if the image or the model cannot be used, there is no object, the model does not know its
            class, or a box is not within the image.
    """
    from yolo_cli.worked import show_loss

    return show_loss(open_explained(weights, options), read_one(image), objects)


def explain_stages(
    image: OneImage,
    weights: str | os.PathLike[str] | Predictor | None = None,
    **options: Unpack[ExplainOptions],
) -> Stages:
    """Follow an image through a detector: what it evaluates, the confident boxes, and the rounds of NMS.

    Args:
        image: as for `explain`.
        weights: any detector, as for `explain`.
        **options: see `ExplainOptions`.

    Raises:
        UserError: if the image or the model cannot be used, or the NMS is soft, which removes nothing.
    """
    from yolo_cli.worked import show_stages

    return show_stages(open_explained(weights, options), read_one(image))


def _best(detector: Detector, image: Image) -> tuple[str, Box]:
    """Class name and box, in pixels, of the most confident detection."""
    found: Any = detector.detect([image])[0]
    if not len(found):
        raise UsageError(f"{image.name}: nothing was found; lower --conf, or give --box")
    return detector.class_names[int(found.class_id[0])], tuple(found.xyxy[0].tolist())
