"""Why a model found what it found at one point of an image: `explain`."""

from __future__ import annotations

import os
from typing import Any, Unpack

from yolo_cli import explanation
from yolo_cli.api.detection import Predictor, load_detector
from yolo_cli.api.options import ExplainOptions, check_options
from yolo_cli.config import DEFAULT_MODEL
from yolo_cli.explanation import Explanation
from yolo_cli.inputs import OneImage, read_one

__all__ = ["explain"]


def explain(
    image: OneImage,
    at: tuple[float, float],
    weights: str | os.PathLike[str] | Predictor | None = None,
    *,
    bgr: bool = False,
    **options: Unpack[ExplainOptions],
) -> Explanation:
    """Explain a model's predictions at one point of an image. Nothing is saved; the result can be.

    Args:
        image: a path, the bytes of a file, an array or a PIL image, as for a `Predictor`.
        at: the point, x and y in pixels from the top left.
        weights: a model, as for `load_detector`, or a loaded one; None is the default model.
        bgr: arrays are BGR or BGRA.
        **options: see `ExplainOptions`: ``conf``, ``nms_iou``, ``imgsz``, …

    Raises:
        UserError: if the image or the model cannot be used, the point is outside the image, or the NMS is
            soft, which suppresses nothing.
    """
    given: dict[str, Any] = {**options}
    check_options(given, ExplainOptions)
    shown = read_one(image, bgr=bgr)
    if isinstance(weights, Predictor):
        detector = weights.with_options(**given).detector
    else:
        detector = load_detector(DEFAULT_MODEL if weights is None else weights, **given).detector
    details = explanation.explain(detector, shown, (float(at[0]), float(at[1])))
    return Explanation(shown, detector.class_names, detector.config.conf, details)
