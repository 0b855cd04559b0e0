"""Boxes ↔ raw heads: grid cells and anchors.

A head is a grid. The cell at (row, column) answers for objects whose centre lies in it, once for each of
its anchors: boxes of typical size that it moves and scales (Redmon and Farhadi, *YOLO9000*, 2017). For
each anchor the network gives x, y, w, h, objectness and one value a class, anchors slowest. With
s = `scale_x_y`, stride in pixels and σ the logistic function, the law is

    centre x = (column + s·σ(tx) − (s − 1) / 2) · stride        y likewise with the row
    width    = anchor width · exp(tw)                           height likewise
    confidence = σ(objectness) · σ(class)

`region` heads (YOLOv2) take the softmax over the classes in place of σ. `new_coords` heads (Scaled-YOLOv4)
come with σ already applied to everything, and have width = anchor width · (2·tw)².

All boxes here are in pixels of the network's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Candidates", "Head", "HeadKind", "boxes_from_raw", "decode", "grid"]

HeadKind = Literal["yolo", "new_coords", "region"]
Floats = NDArray[np.floating[Any]]

# exp(15) anchors are wider than any picture; the bound keeps float32 finite whatever a network says.
LARGEST_LOG_SCALE = 15.0


@dataclass(frozen=True, slots=True)
class Head:
    """How to read one head.

    Attributes:
        kind: which law.
        anchors: (width, height) of each anchor in pixels of the network's input.
        stride: side of a grid cell in pixels of the network's input.
        class_count: how many classes it tells apart.
        scale_x_y: how far beyond its cell a centre can lie; 1 is not at all.
    """

    kind: HeadKind
    anchors: tuple[tuple[float, float], ...]
    stride: int
    class_count: int
    scale_x_y: float = 1.0

    @property
    def channels(self) -> int:
        """How many values the network gives a cell."""
        return len(self.anchors) * (5 + self.class_count)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """(box, class) pairs above a confidence, before suppression.

    Attributes:
        xyxy: float32, (N, 4), pixels of the network's input; may reach beyond it.
        confidence: float32, (N,).
        class_id: int64, (N,). One box may stand here once for each of several classes.
        slot: int64, (N,): which anchor of which cell of which head said so, counted through all heads.
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    slot: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, index: NDArray[Any]) -> Candidates:
        """The candidates at ``index``: integer positions (K,) or a mask (N,)."""
        return Candidates(self.xyxy[index], self.confidence[index], self.class_id[index], self.slot[index])


def boxes_from_raw(raw: Any, cell: Any, anchor: Any, head: Head, xp: Any = np) -> Any:
    """The law of `head` for positions and sizes; the one place where it is written down.

    Args:
        raw: (…, 4), the values tx, ty, tw, th.
        cell: (…, 2), column and row of the cell of each.
        anchor: (…, 2), width and height of the anchor of each, in pixels.
        head: whose law.
        xp: the array library: `numpy` for detection, `keras.ops` for the loss.

    Returns:
        (…, 4): centre x, centre y, width and height in pixels of the network's input.
    """
    offset, size = raw[..., :2], raw[..., 2:4]
    if head.kind == "new_coords":
        scale = (2 * size) ** 2
    else:
        offset, scale = _sigmoid(offset, xp), xp.exp(xp.minimum(size, LARGEST_LOG_SCALE))
    centre = (cell + head.scale_x_y * offset - (head.scale_x_y - 1) / 2) * head.stride
    return xp.concatenate([centre, anchor * scale], axis=-1)


def grid(rows: int, columns: int, anchor_count: int) -> NDArray[np.float32]:
    """Column and row of the cell of each slot: (rows · columns · anchors, 2), anchors fastest."""
    row, column, _ = np.indices((rows, columns, anchor_count), dtype=np.float32).reshape(3, -1)
    return np.stack([column, row], axis=-1)


def decode(raw_heads: Sequence[Floats], heads: Sequence[Head], confidence: float) -> Candidates:
    """Turn the raw heads of one picture into (box, class) pairs above ``confidence``.

    The objectness alone bounds the confidence from above, so it decides first; classes and boxes are
    computed only for what is left. As in Darknet, a box carries every class that passes.

    Args:
        raw_heads: for each head float32 (rows, columns, anchors · (5 + classes)).
        heads: how to read them.
        confidence: the threshold, in [0, 1]; a pair must be above it.
    """
    first_slot, parts = 0, []
    for raw, head in zip(raw_heads, heads, strict=True):
        parts.append(_decode_head(raw, head, confidence, first_slot))
        first_slot += raw.shape[0] * raw.shape[1] * len(head.anchors)
    xyxy, scores, classes, slots = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Candidates(xyxy, scores, classes, slots)


def _decode_head(raw: Floats, head: Head, confidence: float, first_slot: int) -> tuple[NDArray[Any], ...]:
    columns, count = raw.shape[1], len(head.anchors)
    values = raw.reshape(-1, 5 + head.class_count)  # (rows · columns · anchors, 5 + classes)
    slot = np.flatnonzero(values[:, 4] > _before_sigmoid(confidence, head))  # (K,) promising slots
    values = values[slot]  # (K, 5 + classes)
    scores = _scores(values, head)  # (K, classes)
    index, class_id = np.nonzero(scores > confidence)  # (N,) pairs that pass
    slot = slot[index]
    cell = np.stack([slot // count % columns, slot // (count * columns)], axis=-1)  # (N, 2)
    anchor = np.asarray(head.anchors, np.float32)[slot % count]  # (N, 2)
    cxcywh = boxes_from_raw(values[index, :4], cell.astype(np.float32), anchor, head)  # (N, 4)
    half = cxcywh[:, 2:] / 2
    xyxy = np.concatenate([cxcywh[:, :2] - half, cxcywh[:, :2] + half], axis=-1)  # (N, 4)
    return xyxy.astype(np.float32), scores[index, class_id].astype(np.float32), class_id, first_slot + slot


def _scores(values: Floats, head: Head) -> Floats:
    """Confidence of every class in every slot: (K, 5 + classes) → (K, classes)."""
    objectness, classes = values[:, 4:5], values[:, 5:]
    scores: Floats
    if head.kind == "new_coords":
        scores = objectness * classes
    elif head.kind == "yolo":
        scores = _sigmoid(objectness) * _sigmoid(classes)
    else:
        weight = np.exp(classes - classes.max(axis=1, keepdims=True, initial=-np.inf))
        scores = _sigmoid(objectness) * weight / weight.sum(axis=1, keepdims=True)
    return scores


def _before_sigmoid(confidence: float, head: Head) -> float:
    """The raw objectness at which the confidence can just be reached."""
    if head.kind == "new_coords":
        return confidence
    if not 0 < confidence < 1:
        return float("-inf") if confidence <= 0 else float("inf")
    # A hair below, so that rounding in σ cannot lose a pair on the threshold.
    return float(np.log(confidence / (1 - confidence))) - 1e-4


def _sigmoid(x: Any, xp: Any = np) -> Any:
    """σ(x) by way of tanh, which cannot overflow."""
    return 0.5 * xp.tanh(0.5 * x) + 0.5
