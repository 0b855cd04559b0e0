"""The loss of `gfl` heads once more: slow, slot by slot, in float64, straight from its definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from yolo_cli.codec import Head


def slow_gfl_loss(
    targets: Mapping[str, Any], raw_heads: Sequence[Any], heads: Sequence[Head], most: int = 10
) -> dict[str, float]:
    """As `GflLoss.__call__`."""
    box = distances = classes = total = 0.0
    for image in range(len(targets["class_id"])):
        slots = list(_slots([np.asarray(raw[image], np.float64) for raw in raw_heads], heads))
        objects = [
            ([float(v) for v in xyxy], int(class_id), bool(ignored))
            for xyxy, class_id, ignored in zip(
                targets["ground_truths"][image], targets["class_id"][image], targets["ignored"][image],
                strict=True,
            )
            if xyxy[2] > xyxy[0]
        ]  # fmt: skip
        answers = _assigned(slots, objects, heads[0].stride, most)
        for place, slot in enumerate(slots):
            quality, mine = answers.get(place, (0.0, None))
            total += quality
            if mine is None and any(
                ignored and _common(slot["box"], xyxy) > 0.5 * _area(slot["box"])
                for xyxy, _, ignored in objects
            ):
                continue
            for c, logit in enumerate(slot["logits"]):
                wanted = quality if mine is not None and objects[mine][1] == c else 0.0
                entropy = math.log1p(math.exp(logit)) - logit * wanted
                classes += (wanted - _sigma(logit)) ** 2 * entropy
            if mine is not None:
                xyxy = objects[mine][0]
                box += quality * (1 - _giou(slot["box"], xyxy))
                distances += quality * _apart(slot, xyxy)
    total = max(total, 1.0)
    return {"box": 2 * box / total, "distances": 0.25 * distances / total, "class": classes / total}


def _assigned(slots, objects, reach, most):
    """Quality and ground truth of each assigned slot."""
    answers: dict[int, tuple[float, int]] = {}
    for n, (xyxy, class_id, ignored) in enumerate(objects):
        if ignored:
            continue
        found = []
        for place, slot in enumerate(slots):
            half = [max((xyxy[2] - xyxy[0]) / 2, reach), max((xyxy[3] - xyxy[1]) / 2, reach)]
            centre = [(xyxy[0] + xyxy[2]) / 2, (xyxy[1] + xyxy[3]) / 2]
            if all(abs(slot["point"][axis] - centre[axis]) <= half[axis] for axis in (0, 1)):
                iou = _iou(slot["box"], xyxy)
                found.append((math.sqrt(_sigma(slot["logits"][class_id])) * iou**6, iou, place))
        found = sorted(found, reverse=True)[:most]
        best, peak = max(t for t, _, _ in found), max(iou for _, iou, _ in found)
        for t, _, place in found:
            quality = t / best * peak if best else 0.0
            if quality > answers.get(place, (0.0, 0))[0]:
                answers[place] = quality, n
    return answers


def _slots(raws, heads):
    """Point, stride, box, logits and distributions of each slot, in the order of `decode`."""
    for raw, head in zip(raws, heads, strict=True):
        for row in range(raw.shape[0]):
            for column in range(raw.shape[1]):
                values, s = raw[row, column], head.stride
                sides = np.exp(values[head.class_count :].reshape(4, head.bins))
                sides /= sides.sum(axis=1, keepdims=True)
                left, top, right, bottom = (sides * np.arange(head.bins)).sum(axis=1)
                yield {
                    "point": (column * s, row * s),
                    "stride": s,
                    "box": [(column - left) * s, (row - top) * s, (column + right) * s, (row + bottom) * s],
                    "logits": values[: head.class_count],
                    "sides": sides,
                }


def _apart(slot, xyxy) -> float:
    (x, y), s, bins = slot["point"], slot["stride"], slot["sides"].shape[1]
    result = 0.0
    wanted = ((x - xyxy[0]) / s, (y - xyxy[1]) / s, (xyxy[2] - x) / s, (xyxy[3] - y) / s)
    for distance, side in zip(wanted, slot["sides"], strict=True):
        d = min(max(distance, 0.0), bins - 1.01)
        below = int(d)
        result -= (below + 1 - d) * math.log(side[below]) + (d - below) * math.log(side[below + 1])
    return result / 4


def _giou(a, b) -> float:
    either = _area(a) + _area(b) - _common(a, b)
    around = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    return _iou(a, b) - (around - either) / around


def _iou(a, b) -> float:
    return _common(a, b) / (_area(a) + _area(b) - _common(a, b))


def _area(box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _common(a, b) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def _sigma(x) -> float:
    return 1 / (1 + math.exp(-x))
