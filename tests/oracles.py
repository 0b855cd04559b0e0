"""Slow, clear versions of fast things: plain loops over plain numbers, no NumPy arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

Box = Sequence[float]


def slow_area(box: Box) -> float:
    """Area of one xyxy box; 0 where its edges are not in order."""
    left, top, right, bottom = box
    return (right - left) * (bottom - top) if right > left and bottom > top else 0.0


def slow_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, and 0 where neither has an area."""
    shared = slow_area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])
    union = slow_area(a) + slow_area(b) - shared
    return shared / union if union > 0 else 0.0


def slow_overlap(a: Box, b: Box, kind: str, beta: float) -> float:
    """What a suppression rule compares with the threshold, as the C program Darknet works it out."""
    iou = slow_iou(a, b)
    if kind == "iou":
        return iou
    wide, high = max(a[2], b[2]) - min(a[0], b[0]), max(a[3], b[3]) - min(a[1], b[1])
    diagonal = wide * wide + high * high
    if diagonal == 0:
        return iou
    x, y = (a[0] + a[2]) / 2 - (b[0] + b[2]) / 2, (a[1] + a[3]) / 2 - (b[1] + b[3]) / 2
    return iou - ((x * x + y * y) / diagonal) ** (0.6 if kind == "greedynms" else beta)


def slow_suppress(
    xyxy: Sequence[Box],
    confidence: Sequence[float],
    class_id: Sequence[int],
    threshold: float = 0.45,
    kind: str = "iou",
    beta: float = 0.6,
    agnostic: bool = False,
) -> list[int]:
    """Positions that stay: take the most confident box, drop what it overlaps too much, and so on."""
    xyxy = [[float(edge) for edge in box] for box in xyxy]
    kept: list[int] = []
    for this in sorted(range(len(xyxy)), key=lambda i: (-confidence[i], i)):
        rivals = [other for other in kept if agnostic or class_id[other] == class_id[this]]
        if all(slow_overlap(xyxy[other], xyxy[this], kind, beta) <= threshold for other in rivals):
            kept.append(this)
    return kept


def slow_soften(
    xyxy: Sequence[Box], confidence: Sequence[float], class_id: Sequence[int], agnostic: bool = False
) -> list[tuple[int, float]]:
    """Gaussian Soft-NMS with sigma 0.5: positions with their confidence, the most confident first."""
    xyxy = [[float(edge) for edge in box] for box in xyxy]
    left = {i: float(confidence[i]) for i in range(len(xyxy))}
    done: list[tuple[int, float]] = []
    while left:
        this = min(left, key=lambda i: (-left[i], i))
        done.append((this, left.pop(this)))
        for other in left:
            if agnostic or class_id[other] == class_id[this]:
                left[other] *= math.exp(-(slow_iou(xyxy[this], xyxy[other]) ** 2) / 0.5)
    return [(i, value) for i, value in sorted(done, key=lambda pair: (-pair[1], pair[0])) if value >= 0.001]
