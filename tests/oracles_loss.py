"""The loss once more: slow, slot by slot, in float64, straight from its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from yolo_cli.codec import Head
from yolo_cli.loss import LossWeights


def slow_loss(
    targets: Mapping[str, Any], raw_heads: Sequence[Any], heads: Sequence[Head], weights: LossWeights
) -> dict[str, float]:
    """As `YoloLoss.__call__`."""
    box = objectness = classes = 0.0
    count = max(1.0, float(np.sum(targets["positive"])))
    for image in range(len(targets["slot"])):
        slots = _slots([np.asarray(raw[image], np.float64) for raw in raw_heads], heads)
        answers = {
            int(slot): n for n, slot in enumerate(targets["slot"][image]) if targets["positive"][image][n]
        }
        for place, (values, mine) in enumerate(slots):
            if place in answers:
                n = answers[place]
                wanted = _corners(*(float(v) for v in targets["cxcywh"][image][n]))
                box += 1 - _ciou(mine, wanted)
                objectness += _entropy(values[4], min(1.0, max(0.0, _iou(mine, wanted))))
                for c, logit in enumerate(values[5:]):
                    hit = 1.0 if c == targets["class_id"][image][n] else 0.0
                    half = weights.label_smoothing / 2
                    classes += _entropy(logit, hit * (1 - 2 * half) + half)
            elif not _is_ignored(mine, targets["ground_truths"][image], targets["ignored"][image], weights):
                objectness += _entropy(values[4], 0.0)
    return {
        "box": weights.box * box / count,
        "objectness": weights.objectness * objectness / count,
        "class": weights.classes * classes / count,
    }


def _slots(raws, heads):
    """Values and box (xyxy) of each slot, in the order of `decode`."""
    for raw, head in zip(raws, heads, strict=True):
        rows, columns, _ = raw.shape
        for row in range(rows):
            for column in range(columns):
                for a, (aw, ah) in enumerate(head.anchors):
                    size = 5 + head.class_count
                    v = raw[row, column, a * size : (a + 1) * size]
                    s = head.scale_x_y
                    x = (column + s * _sigma(v[0]) - (s - 1) / 2) * head.stride
                    y = (row + s * _sigma(v[1]) - (s - 1) / 2) * head.stride
                    yield v, _corners(x, y, aw * math.exp(v[2]), ah * math.exp(v[3]))


def _is_ignored(mine, ground_truths, ignored, weights) -> bool:
    for ground_truth, flag in zip(ground_truths, ignored, strict=True):
        if flag and (_common(mine, ground_truth) / max(_area(mine), 1e-12) > 0.5):
            return True
        if not flag and _iou(mine, ground_truth) > weights.ignore_iou:
            return True
    return False


def _sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _entropy(logit: float, wanted: float) -> float:
    p = _sigma(logit)
    return -(wanted * math.log(p) + (1 - wanted) * math.log(1 - p))


def _corners(x, y, w, h):
    return (x - w / 2, y - h / 2, x + w / 2, y + h / 2)


def _area(b) -> float:
    return max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1])


def _common(a, b) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _iou(a, b) -> float:
    both = _common(a, b)
    union = _area(a) + _area(b) - both
    return both / union if union > 0 else 0.0


def _ciou(a, b) -> float:
    distance = ((a[0] + a[2] - b[0] - b[2]) / 2) ** 2 + ((a[1] + a[3] - b[1] - b[3]) / 2) ** 2
    hull = (max(a[2], b[2]) - min(a[0], b[0])) ** 2 + (max(a[3], b[3]) - min(a[1], b[1])) ** 2
    turn = math.atan((a[2] - a[0]) / (a[3] - a[1])) - math.atan((b[2] - b[0]) / (b[3] - b[1]))
    v = 4 / math.pi**2 * turn**2
    iou = _iou(a, b)
    return iou - distance / hull - (v * v / (1 - iou + v) if v else 0.0)
