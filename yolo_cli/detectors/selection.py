"""From candidates to detections: selection of classes, and NMS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Candidates
from yolo_cli.config import DetectConfig
from yolo_cli.errors import UsageError
from yolo_cli.suppression import Limit, suppress
from yolo_cli.weights import ModelCard

__all__ = ["check_classes", "survivors"]

Floats = NDArray[np.floating[Any]]


def check_classes(config: DetectConfig, card: ModelCard) -> None:
    """Raise UsageError if ``config`` names a class id that the model does not have."""
    count = len(card.class_names)
    for class_id in config.classes or ():
        if not 0 <= class_id < count:
            raise UsageError(f"--classes {class_id}: {card.name} has classes 0 to {count - 1}")


def survivors(
    boxes: Floats,
    candidates: Candidates,
    config: DetectConfig,
    card: ModelCard,
    conf: float,
    limit: Limit | None = None,
) -> tuple[NDArray[np.intp], Floats]:
    """Positions (K,) and confidences (K,) of the candidates kept by NMS, most confident first.

    Args:
        boxes: (N, 4), the candidates' boxes, in the unit in which distances are compared.
        candidates: N candidates.
        config: threshold and rule.
        card: the rule where ``config`` names none.
        conf: the threshold that a confidence which Soft-NMS lowered must still exceed.
        limit: how many of them are enough; None for all.
    """
    return suppress(
        boxes,
        candidates.confidence,
        candidates.class_id,
        threshold=config.nms_iou,
        kind=config.suppression or card.suppression,
        beta=card.beta,
        agnostic=config.agnostic,
        conf=conf,
        limit=limit,
    )
