"""The loss of `gfl` heads (NanoDet-Plus), and the assignment of their slots.

Every slot is a point. Which points learn which ground truth is decided in each step, by what the network
predicts (task-aligned assignment, Feng et al., "TOOD", ICCV 2021): the alignment of a slot with a ground
truth is √(confidence in its class) · IoU⁶, and the `MOST_SLOTS` points in its box with the best alignment
learn it. The quality of such a slot, between 0 and 1, is its alignment divided by the best one of this ground
truth, times the best IoU of them. A slot that several ground-truth boxes want goes to the one with the
highest quality.

Three terms, each divided by the sum of all qualities in the batch:

- *class*: quality focal loss, |quality − σ|² times the cross-entropy against the quality, in every slot and
class; quality is 0 where nothing is assigned, and for other classes (Li et al., "Generalized Focal Loss",
NeurIPS 2020);
- *box*: 1 − GIoU (Rezatofighi et al., CVPR 2019), weighted by the quality;
- *distances*: distribution focal loss, the cross-entropy of each side's distribution against the two bins
around the true distance, weighted by the quality (Li et al., 2020).

Slots whose box is in a crowd or on a difficult object are ignored, unless they are assigned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from yolo_cli.distances import boxes_around
from yolo_cli.framework import ops
from yolo_cli.heads import Head, slot_cells
from yolo_cli.loss import TINY, areas, cross_entropy

__all__ = ["GFL_LOSSES", "Assignment", "GflLoss", "assign", "giou"]

GFL_LOSSES = ("box", "distances", "class")

MOST_SLOTS = 10  # assigned to one ground truth
BOX, DISTANCES, CLASSES = 2.0, 0.25, 1.0  # weights of the terms, as in NanoDet-Plus
FARTHEST = 0.01  # strides by which the farthest bin is missed, so that two bins are always around a distance
TINIEST = 1e-30  # keeps quotients of alignments finite


class Assignment(NamedTuple):
    """What the slots of a batch learn.

    Attributes:
        quality: (B, S), above 0 where a ground truth is assigned.
        ground_truth: (B, S), its index in the image; 0 elsewhere.
        counted: (B, S), 0 for slots that are ignored, else 1.
    """

    quality: Any
    ground_truth: Any
    counted: Any


class GflLoss:
    """The loss of a network with these heads of kind "gfl".

    Attributes:
        heads: of the network.
        names: of the terms.
    """

    names = GFL_LOSSES

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads = tuple(heads)

    def __call__(self, targets: Mapping[str, Any], raw_heads: Sequence[Any]) -> dict[str, Any]:
        """The terms, weighted, by their names.

        Args:
            targets: padded to one size for all images of the batch of B:
                ground_truths, float32 (B, T, 4): xyxy of all ground-truth boxes, padded with 0;
                class_id, int32 (B, T);
                ignored, float32 (B, T): 1 for ground-truth boxes that are crowd or difficult.
            raw_heads: float32 (B, rows, columns, channels) each.
        """
        cell, stride = self._points([(raw.shape[1], raw.shape[2]) for raw in raw_heads])  # (S, 2), (S, 1)
        logits, sides = self._slots(raw_heads)  # (B, S, classes), (B, S, 4, bins)
        steps = ops.arange(self.heads[0].bins, dtype="float32")  # (bins,)
        # As `mean_distances`, whose array of NumPy PyTorch does not take.
        boxes = boxes_around(cell, ops.sum(ops.softmax(sides) * steps, axis=-1), ops) * stride  # (B, S, 4)
        known = ops.stop_gradient(ops.sigmoid(logits)), ops.stop_gradient(boxes)
        quality, index, counted = assign(*known, cell * stride, float(self.heads[0].stride), targets)
        total = ops.maximum(ops.sum(quality), 1.0)
        target = ops.take_along_axis(targets["ground_truths"], index[..., None], axis=1)  # (B, S, 4)
        class_id = ops.take_along_axis(targets["class_id"], index, axis=1)  # (B, S)
        wanted = ops.one_hot(class_id, logits.shape[-1], dtype="float32") * quality[..., None]
        unsure = ops.sum(_quality_focal(logits, wanted), axis=-1) * counted  # (B, S)
        apart = _distribution_focal(sides, _distances(target / stride, cell, sides.shape[-1]), steps)
        return {
            "box": BOX * ops.sum((1.0 - giou(boxes, target)) * quality) / total,
            "distances": DISTANCES * ops.sum(apart * quality) / total,
            "class": CLASSES * ops.sum(unsure) / total,
        }

    def _slots(self, raw_heads: Sequence[Any]) -> tuple[Any, Any]:
        """The values of all slots of all heads: of classes (B, S, classes), of distances (B, S, 4, bins)."""
        classes, bins = self.heads[0].class_count, self.heads[0].bins
        slots = [ops.reshape(raw, (-1, raw.shape[1] * raw.shape[2], raw.shape[3])) for raw in raw_heads]
        values = ops.cast(ops.concatenate(slots, axis=1), "float32")  # (B, S, channels)
        return values[..., :classes], ops.reshape(values[..., classes:], (-1, values.shape[1], 4, bins))

    def _points(self, grids: Sequence[tuple[int, int]]) -> tuple[Any, Any]:
        """Column and row (S, 2) and stride (S, 1) of every slot."""
        strides = [
            np.full((rows * columns, 1), head.stride, np.float32)
            for head, (rows, columns) in zip(self.heads, grids, strict=True)
        ]
        cells = slot_cells(self.heads, grids)
        return ops.convert_to_tensor(cells), ops.convert_to_tensor(np.concatenate(strides))


def assign(scores: Any, boxes: Any, points: Any, reach: float, targets: Mapping[str, Any]) -> Assignment:
    """Decide which slot learns which ground truth.

    Args:
        scores: (B, S, classes), confidences.
        boxes: (B, S, 4), xyxy.
        points: (S, 2), x and y.
        reach: points this near to the centre on both axes may be assigned even if outside a small box.
        targets: as of `GflLoss`.
    """
    objects = ops.cast(targets["ground_truths"], "float32")  # (B, T, 4)
    ignored = ops.cast(targets["ignored"], "float32")  # (B, T)
    both, own, theirs = areas(boxes[:, None], objects[:, :, None])  # (B, T, S), (B, 1, S), (B, T, 1)
    iou = both / (own + theirs - both + TINY)  # (B, T, S)
    rows = ops.transpose(scores, (0, 2, 1))  # (B, classes, S)
    score = ops.take_along_axis(rows, targets["class_id"][..., None], axis=1)  # (B, T, S)
    real = (1.0 - ignored)[..., None] * ops.cast(theirs > 0, "float32")  # (B, T, 1)
    alignment = real * _near(points, objects, reach) * ops.sqrt(score) * iou**6  # (B, T, S)
    weakest = ops.top_k(alignment, min(MOST_SLOTS, alignment.shape[2]))[0][..., -1:]  # (B, T, 1)
    alignment = ops.where(alignment >= weakest, alignment, 0.0)
    best = ops.max(alignment, axis=2, keepdims=True)  # (B, T, 1)
    peak = ops.max(ops.where(alignment > 0, iou, 0.0), axis=2, keepdims=True)  # (B, T, 1)
    each = alignment / ops.maximum(best, TINIEST) * peak  # (B, T, S)
    quality = ops.max(each, axis=1)  # (B, S)
    inside = ops.cast(both > 0.5 * own, "float32") * ignored[..., None]  # (B, T, S)
    counted = ops.where(quality > 0, 1.0, 1.0 - ops.max(inside, axis=1))  # (B, S)
    return Assignment(quality, ops.cast(ops.argmax(each, axis=1), "int32"), counted)


def _near(points: Any, objects: Any, reach: float) -> Any:
    """1 for points (S, 2) that are in boxes (B, T, 4) or nearly at their centre: (B, T, S)."""
    centre = (objects[..., :2] + objects[..., 2:]) / 2  # (B, T, 2)
    half = ops.maximum((objects[..., 2:] - objects[..., :2]) / 2, reach)  # (B, T, 2)
    near = ops.abs(points - centre[:, :, None]) <= half[:, :, None]  # (B, T, S, 2)
    return ops.cast(ops.all(near, axis=-1), "float32")


def giou(a: Any, b: Any) -> Any:
    """Generalised IoU (…) of boxes ``a`` (…, 4) with ``b`` (…, 4), xyxy, box by box."""
    both, own, theirs = areas(a, b)  # (…) each
    either = own + theirs - both + TINY  # (…)
    side = ops.maximum(a[..., 2:], b[..., 2:]) - ops.minimum(a[..., :2], b[..., :2])  # (…, 2)
    around = side[..., 0] * side[..., 1] + TINY  # (…)
    return both / either - (around - either) / around


def _quality_focal(logits: Any, wanted: Any) -> Any:
    """Quality focal loss (…) of logits (…) for qualities (…)."""
    return ops.square(wanted - ops.sigmoid(logits)) * cross_entropy(logits, wanted)


def _distances(target: Any, cell: Any, bins: int) -> Any:
    """The distances (B, S, 4) of the sides of boxes (B, S, 4) from points (S, 2), as far as bins reach."""
    distances = ops.concatenate([cell - target[..., :2], target[..., 2:] - cell], axis=-1)  # (B, S, 4)
    return ops.clip(distances, 0.0, bins - 1 - FARTHEST)


def _distribution_focal(sides: Any, distances: Any, steps: Any) -> Any:
    """Cross-entropy of distributions (B, S, 4, bins) for distances (B, S, 4), mean of the sides: (B, S)."""
    wanted = ops.relu(1.0 - ops.abs(distances[..., None] - steps))  # (B, S, 4, bins): 1 on two bins together
    return -ops.mean(ops.sum(wanted * ops.log_softmax(sides, axis=-1), axis=-1), axis=-1)
