"""Boxes ↔ raw heads: grid cells and anchors.

A head is a grid. The cell at (row, column) is assigned the objects whose centre is in it, once for each of
its anchors: boxes of typical size that it moves and scales (Redmon and Farhadi, *YOLO9000*, 2017). For
each anchor the network gives x, y, w, h, objectness and one value a class, anchors slowest. With
s = `scale_x_y`, stride in pixels and σ the logistic function, decoding is

    centre x = (column + s·σ(tx) − (s − 1) / 2) · stride        y likewise with the row
    width    = anchor width · exp(tw)                           height likewise
    confidence = σ(objectness) · σ(class)

`region` heads (YOLOv2) take the softmax over the classes in place of σ. `new_coords` heads (Scaled-YOLOv4)
come with σ already applied to everything, and have width = anchor width · (2·tw)².

`yolo` heads may have key points, three more values of each after the classes: see `keypoint_codec`.

`gfl` heads (NanoDet-Plus) have neither anchors nor objectness. Each cell gives one value a class, and for
each side of its one box a distribution of its distance from the cell's upper left corner, see `distances`:

    confidence = σ(class)
    left       = (column − mean distance in strides) · stride       likewise the other sides

All boxes here are in pixels of the network's input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.distances import boxes_around, mean_distances
from yolo_cli.heads import Head, HeadKind

__all__ = [
    "Candidates", "Head", "HeadKind", "Targets", "boxes_from_raw", "decode", "decode_values",
    "encode", "raw_from_boxes", "scores_from_raw", "sigmoid",
]  # fmt: skip

Floats = NDArray[np.floating[Any]]
Decoded = tuple[NDArray[Any], ...]  # the fields of `Candidates`

# exp(15) anchors are wider than any image; the bound keeps float32 finite for any raw value.
LARGEST_LOG_SCALE = 15.0

LARGEST_RATIO = 4.0
"""An anchor is assigned objects up to this many times its size on each side, and down to the inverse."""

# A neighbouring cell is assigned only centres that σ can reach without going into saturation.
REACH_MARGIN = 0.05

_NOTHING: Decoded = (
    np.zeros((0, 4), np.float32),
    np.zeros(0, np.float32),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
)

# The own cell first, then left, right, above, below: (5, 2), column and row.
NEIGHBOURS = np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """(box, class) pairs above a confidence, before suppression.

    Attributes:
        xyxy: float32, (N, 4), pixels of the network's input; may reach beyond it.
        confidence: float32, (N,).
        class_id: int64, (N,). One box may occur once for each of several classes.
        slot: int64, (N,): the slot (head, cell, anchor) that predicted it, counted over all heads.
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

    def of_best_class(self) -> Candidates:
        """Those of the most confident class of each slot; of equals, the class with the lower id."""
        order = np.lexsort((self.class_id, -self.confidence, self.slot))  # (N,)
        first = np.unique(self.slot[order], return_index=True)[1]  # (K,)
        return self[np.sort(order[first])]


def boxes_from_raw(raw: Any, cell: Any, anchor: Any, head: Head, xp: Any = np) -> Any:
    """Decode positions and sizes by the formulas of `head`; used by detection and by the loss.

    Args:
        raw: (…, 4), the values tx, ty, tw, th.
        cell: (…, 2), column and row of the cell of each.
        anchor: (…, 2), width and height of the anchor of each, in pixels.
        head: its kind and `scale_x_y` choose the formulas.
        xp: the array library: `numpy` for detection, `keras.ops` for the loss.

    Returns:
        (…, 4): centre x, centre y, width and height in pixels of the network's input.
    """
    offset, size = raw[..., :2], raw[..., 2:4]
    if head.kind == "new_coords":
        scale = (2 * size) ** 2
    else:
        offset, scale = sigmoid(offset, xp), xp.exp(xp.minimum(size, LARGEST_LOG_SCALE))
    centre = (cell + head.scale_x_y * offset - (head.scale_x_y - 1) / 2) * head.stride
    return xp.concatenate([centre, anchor * scale], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The assigned slots of one image; the target of all others is background.

    Attributes:
        slot: int64, (P,), each at most once, counted as in `Candidates`.
        cxcywh: float32, (P, 4): centre, width and height of the ground truth, pixels of the network's input.
        class_id: int64, (P,).
        ground_truth: int64, (P,): the index of that ground truth.
    """

    slot: NDArray[np.int64]
    cxcywh: NDArray[np.float32]
    class_id: NDArray[np.int64]
    ground_truth: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.slot)


def raw_from_boxes(cxcywh: Floats, cell: Floats, anchor: Floats, head: Head) -> Floats:
    """The inverse of `boxes_from_raw`: the tx, ty, tw, th (…, 4) that decode to a box (…, 4).

    A centre outside the range of its cell comes as close as float32's logistic function allows.
    """
    offset = _centre_offset(cxcywh[..., :2] / head.stride - cell, head)  # (…, 2), what σ has to give
    scale = cxcywh[..., 2:] / anchor  # (…, 2)
    if head.kind == "new_coords":
        return np.concatenate([offset, np.sqrt(scale) / 2], axis=-1)
    offset = np.clip(offset, 1e-6, 1 - 1e-6)
    return np.concatenate([np.log(offset / (1 - offset)), np.log(scale)], axis=-1)


def encode(
    xyxy: Floats,
    class_id: NDArray[np.integer[Any]],
    heads: Sequence[Head],
    grids: Sequence[tuple[int, int]],
) -> Targets:
    """Assign slots to each ground truth: the other direction of `decode`.

    An anchor is assigned where it is at most `LARGEST_RATIO` times too large or too small on either side,
    and the best one always is. Besides the cell that a centre is in, the neighbours left, right, above and
    below are assigned too where the centre is well within their reach, which is wider than the cell for
    `scale_x_y` above 1 (Jocher et al., *YOLOv5*, 2020). So a ground truth has several slots. A slot that
    matches two ground-truth boxes is assigned to the one with the smaller cost.

    Inverse: raw heads with `raw_from_boxes` of the targets in these slots decode to the ground-truth boxes.

    Args:
        xyxy: ground-truth boxes (N, 4) with sides above 0, pixels of the network's input.
        class_id: (N,).
        heads: the heads.
        grids: rows and columns of each head.
    """
    low, high = xyxy[:, :2].astype(np.float32), xyxy[:, 2:].astype(np.float32)
    cxcywh = np.concatenate([(low + high) / 2, high - low], axis=1)  # (N, 4)
    mismatches = [_mismatch(cxcywh, head) for head in heads]  # each (N, A)
    best = np.min([mismatch.min(axis=1) for mismatch in mismatches], axis=0, initial=np.inf)  # (N,)
    first_slot, parts = 0, []
    for head, shape, mismatch in zip(heads, grids, mismatches, strict=True):
        fits = (mismatch < np.log(LARGEST_RATIO)) | (mismatch == best[:, None])  # (N, A)
        slot, cost, ground_truth = _matches(cxcywh, head, shape, np.where(fits, mismatch, np.inf))
        parts.append((first_slot + slot, cost, ground_truth))
        first_slot += shape[0] * shape[1] * len(head.anchors)
    slot, cost, ground_truth = (np.concatenate(column) for column in zip(*parts, strict=True))  # (K,) each
    order = np.lexsort((ground_truth, cost, slot))  # (K,)
    slot, first = np.unique(slot[order], return_index=True)  # (P,) each
    ground_truth = ground_truth[order][first]  # (P,)
    return Targets(slot, cxcywh[ground_truth], class_id[ground_truth].astype(np.int64), ground_truth)


def _mismatch(cxcywh: Floats, head: Head) -> Floats:
    """How far each anchor is from each object's size: the larger |log ratio| of the two sides, (N, A)."""
    ratio = cxcywh[:, None, 2:] / np.asarray(head.anchors, np.float32)  # (N, A, 2)
    mismatch: Floats = np.abs(np.log(ratio)).max(axis=2)
    return mismatch


def _matches(
    cxcywh: Floats, head: Head, shape: tuple[int, int], mismatch: Floats
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Slots of one head that match objects (N, 4), (K,), the cost of each match, and the object of each."""
    last = np.array(shape[::-1]) - 1  # (2,): last column, last row
    centre = cxcywh[:, :2] / head.stride  # (N, 2), in cells
    own = np.clip(np.floor(centre), 0, last)  # (N, 2)
    cell = own[:, None] + NEIGHBOURS  # (N, 5, 2)
    offset = _centre_offset(centre[:, None] - cell, head)  # (N, 5, 2)
    inside = ((cell >= 0) & (cell <= last)).all(axis=2)  # (N, 5)
    near = np.abs(offset - 0.5) <= 0.5 - REACH_MARGIN  # (N, 5, 2)
    reached = np.asarray(near.all(axis=2))  # (N, 5)
    reached[:, 0] = True  # the cell that it is in always matches
    cost = np.square(offset - 0.5).sum(axis=2)[:, :, None] + np.square(mismatch)[:, None]  # (N, 5, A)
    matched = (inside & reached)[:, :, None] & np.isfinite(cost)  # (N, 5, A)
    ground_truth, neighbour, anchor = np.nonzero(matched)  # (K,) each
    column, row = cell[ground_truth, neighbour].astype(np.int64).T  # (K,) each
    slot = (row * shape[1] + column) * len(head.anchors) + anchor  # (K,)
    return slot, cost[matched], ground_truth


def _centre_offset(offset: Floats, head: Head) -> Floats:
    """The value of σ for a centre at ``offset`` (…, 2), in cells from the cell's upper left corner."""
    return (offset + (head.scale_x_y - 1) / 2) / head.scale_x_y


def decode(raw_heads: Sequence[Floats], heads: Sequence[Head], confidence: float) -> Candidates:
    """Turn the raw heads of one image into (box, class) pairs above ``confidence``.

    Objectness is an upper bound of the confidence, so where there is one it is thresholded first; classes and
    boxes are computed only for the rest. As in Darknet, a box gets every class that passes the threshold.

    Args:
        raw_heads: for each head float32 (rows, columns, `Head.channels`).
        heads: the heads.
        confidence: the threshold, in [0, 1]; a pair must be above it.
    """
    first_slot, parts = 0, []
    for raw, head in zip(raw_heads, heads, strict=True):
        decode_head = _decode_distances if head.kind == "gfl" else _decode_anchors
        parts.append(decode_head(raw, head, confidence, first_slot))
        first_slot += raw.shape[0] * raw.shape[1] * head.boxes
    parts = [part for part in parts if len(part[0])] or parts[:1]
    if len(parts) == 1:
        return Candidates(*parts[0])
    return Candidates(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _decode_anchors(raw: Floats, head: Head, confidence: float, first_slot: int) -> Decoded:
    columns, count = raw.shape[1], len(head.anchors)
    values = raw.reshape(-1, head.values)  # (rows · columns · anchors, values)
    slot = (values[:, 4] > _before_sigmoid(confidence, head)).nonzero()[0]  # (K,) promising slots
    if not len(slot):
        return _NOTHING
    values = values[slot, : 5 + head.class_count]  # (K, 5 + classes)
    scores: Floats = scores_from_raw(values[:, 4:], head)  # (K, classes)
    index, class_id = (scores > confidence).nonzero()  # (N,) pairs that pass
    slot = slot[index]
    cell = np.empty((len(slot), 2), np.float32)  # (N, 2)
    cell[:, 0], cell[:, 1] = slot // count % columns, slot // (count * columns)
    anchor = np.array(head.anchors, np.float32)[slot % count]  # (N, 2)
    cxcywh = boxes_from_raw(values[index, :4], cell, anchor, head)  # (N, 4)
    half = cxcywh[:, 2:] / 2
    xyxy = np.concatenate([cxcywh[:, :2] - half, cxcywh[:, :2] + half], axis=-1)  # (N, 4)
    return xyxy.astype(np.float32), scores[index, class_id].astype(np.float32), class_id, first_slot + slot


def decode_values(values: Any, cell: Any, anchor: Any, head: Head, xp: Any) -> tuple[Any, Any]:
    """Boxes and confidences of slots, for programs that decode all of them.

    Args:
        values: (…, values of a slot).
        cell: (…, 2), column and row of the cell of each.
        anchor: (…, 2), width and height of the anchor of each; not used by `gfl`.
        head: its kind chooses the formulas.
        xp: the array library.

    Returns:
        xyxy (…, 4) in pixels of the network's input, and the confidence of each class (…, classes).
    """
    if head.kind == "gfl":
        distances = mean_distances(values[..., head.class_count : head.channels], head.bins, xp)
        return boxes_around(cell, distances, xp) * head.stride, sigmoid(values[..., : head.class_count], xp)
    cxcywh = boxes_from_raw(values[..., :4], cell, anchor, head, xp)
    half, centre = cxcywh[..., 2:4] * 0.5, cxcywh[..., :2]
    xyxy = xp.concatenate([centre - half, centre + half], axis=-1)
    return xyxy, scores_from_raw(values[..., 4 : 5 + head.class_count], head, xp)


def _decode_distances(raw: Floats, head: Head, confidence: float, first_slot: int) -> Decoded:
    values = raw.reshape(-1, head.channels)  # (rows · columns, classes + 4 · bins)
    classes = values[:, : head.class_count]  # (rows · columns, classes)
    slot, class_id = np.nonzero(classes > _before_sigmoid(confidence, head))  # (N,) pairs that may pass
    if not len(slot):
        return _NOTHING
    scores = sigmoid(classes[slot, class_id])  # (N,)
    cell = np.stack([slot % raw.shape[1], slot // raw.shape[1]], axis=-1)  # (N, 2)
    distances = mean_distances(values[slot, head.class_count :], head.bins)  # (N, 4)
    xyxy = boxes_around(cell, distances) * head.stride  # (N, 4)
    passed = scores > confidence  # (N,)
    return xyxy[passed].astype(np.float32), scores[passed], class_id[passed], first_slot + slot[passed]


def scores_from_raw(raw: Any, head: Head, xp: Any = np) -> Any:
    """Confidence of every class in every slot by the formulas of `head`.

    Args:
        raw: (…, 1 + classes), objectness and classes.
        head: its kind chooses the formula.
        xp: the array library, as for `boxes_from_raw`.

    Returns:
        (…, classes).
    """
    objectness, classes = raw[..., :1], raw[..., 1:]
    if head.kind == "new_coords":
        return objectness * classes
    if head.kind == "yolo":
        scores = sigmoid(raw, xp)
        return scores[..., :1] * scores[..., 1:]
    weight = xp.exp(classes - xp.max(classes, axis=-1, keepdims=True, initial=-np.inf))
    return sigmoid(objectness, xp) * weight / xp.sum(weight, axis=-1, keepdims=True)


def _before_sigmoid(confidence: float, head: Head) -> float:
    """The raw objectness, or class of `gfl`, at which the confidence can just be reached."""
    if head.kind == "new_coords":
        return confidence
    if not 0 < confidence < 1:
        return float("-inf") if confidence <= 0 else float("inf")
    # Slightly below, so that rounding in σ cannot lose a pair on the threshold.
    return math.log(confidence / (1 - confidence)) - 1e-4


def sigmoid(x: Any, xp: Any = np) -> Any:
    """σ(x) by way of tanh, which cannot overflow."""
    return 0.5 * xp.tanh(0.5 * x) + 0.5
