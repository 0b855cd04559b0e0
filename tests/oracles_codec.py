"""Reading raw heads slot by slot, by the formulas of the papers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from yolo_cli.codec import Head

Pair = tuple[int, int, float, list[float]]  # slot, class, confidence, xyxy


def slow_decode(raw_heads: Sequence[np.ndarray], heads: Sequence[Head], confidence: float) -> list[Pair]:
    """Every (box, class) pair above ``confidence``, in the order of slots and classes."""
    pairs: list[Pair] = []
    slot = 0
    for raw, head in zip(raw_heads, heads, strict=True):
        length = 5 + head.class_count
        for row in range(raw.shape[0]):
            for column in range(raw.shape[1]):
                if head.kind == "gfl":
                    values = [float(v) for v in raw[row, column]]
                    box = slow_sides(values[head.class_count :], (column, row), head)
                    scores = [sigmoid(value) for value in values[: head.class_count]]
                    pairs += [(slot, k, score, box) for k, score in enumerate(scores) if score > confidence]
                    slot += 1
                for place, anchor in enumerate(head.anchors):
                    values = [float(v) for v in raw[row, column, place * length : (place + 1) * length]]
                    box = slow_box(values, (column, row), anchor, head)
                    scores = slow_scores(values, head)
                    pairs += [(slot, k, score, box) for k, score in enumerate(scores) if score > confidence]
                    slot += 1
    return pairs


def slow_box(
    values: Sequence[float], cell: tuple[int, int], anchor: tuple[float, float], head: Head
) -> list[float]:
    """xyxy in pixels of the network's input."""
    low, high = [], []
    for axis in range(2):
        offset, size = values[axis], values[2 + axis]
        if head.kind == "new_coords":
            length = anchor[axis] * (2 * size) ** 2
        else:
            offset, length = sigmoid(offset), anchor[axis] * math.exp(min(size, 15))
        centre = (cell[axis] + head.scale_x_y * offset - (head.scale_x_y - 1) / 2) * head.stride
        low.append(centre - length / 2)
        high.append(centre + length / 2)
    return low + high


def slow_sides(values: Sequence[float], cell: tuple[int, int], head: Head) -> list[float]:
    """xyxy in pixels of the network's input: each side by the mean of its distribution."""
    box = []
    for side, sign in enumerate((-1, -1, 1, 1)):
        weights = [math.exp(value) for value in values[side * head.bins : (side + 1) * head.bins]]
        mean = sum(place * weight for place, weight in enumerate(weights)) / sum(weights)
        box.append((cell[side % 2] + sign * mean) * head.stride)
    return box


def slow_scores(values: Sequence[float], head: Head) -> list[float]:
    """Confidence of each class."""
    objectness, classes = values[4], values[5:]
    if head.kind == "new_coords":
        return [objectness * value for value in classes]
    if head.kind == "yolo":
        return [sigmoid(objectness) * sigmoid(value) for value in classes]
    weights = [math.exp(value - max(classes)) for value in classes]
    return [sigmoid(objectness) * weight / sum(weights) for weight in weights]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))
