"""The loss of raw heads against targets.

Three terms, each summed over the batch and divided by its number of positive slots (those assigned to a
ground truth):

- *box*: 1 − CIoU of each positive slot's box and its ground truth (Zheng et al., "Distance-IoU Loss", AAAI
2020);
- *objectness*: binary cross-entropy of every slot. The target of a positive slot is the IoU of its box with
the ground truth, so that confidence ranks boxes by how well they fit; that of every other slot is 0. Slots
that are not assigned but overlap a ground truth well, or whose box is in a crowd or on a difficult object,
are ignored;
- *class*: binary cross-entropy of each class in the positive slots, with label smoothing.

Heads with key points have two more, each averaged over the positive slots of objects with a labelled point:

- *keypoints*: log(1 + e) of each labelled point, where exp(−e) is its similarity in OKS (Maji et al.,
"YOLO-Pose", CVPR Workshops 2022, use 1 − exp(−e)). Near the point both are e; far from it 1 − exp(−e) has no
gradient, and a network that knows nothing yet would never learn;
- *visible*: binary cross-entropy of whether each point is labelled.

Only `keras.ops` is used, so it runs on TensorFlow, JAX and PyTorch; boxes are decoded by the same
`boxes_from_raw` as in detection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_cli.codec import boxes_from_raw
from yolo_cli.framework import ops
from yolo_cli.heads import Head, slot_anchors, slot_cells
from yolo_cli.keypoint_codec import keypoints_from_raw

__all__ = ["KEYPOINT_LOSSES", "LOSSES", "TINY", "LossWeights", "YoloLoss", "areas", "ciou", "cross_entropy"]

LOSSES = ("box", "objectness", "class")
KEYPOINT_LOSSES = ("keypoints", "visible")

MOST_IGNORED = 512  # only the most confident slots of an image can be ignored

OUTLINE = 0.53  # an outline's area as a fraction of its box's, on average in COCO

TINY = 1e-7  # keeps quotients finite where a box has no area


@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the terms, label smoothing and ignore threshold.

    Attributes:
        box, objectness, classes, keypoints, visible: factors of the terms.
        label_smoothing: class targets are half of it away from 0 and 1.
        ignore_iou: an unassigned slot is ignored if its box has a higher IoU with a ground truth.
    """

    box: float = 5.0
    objectness: float = 1.0
    classes: float = 1.0
    keypoints: float = 2.5
    visible: float = 0.5
    label_smoothing: float = 0.02
    ignore_iou: float = 0.7


class YoloLoss:
    """The loss of a network with these heads.

    Args:
        heads: of the network; all of kind "yolo".
        weights: factors and rules.
        sigmas: of the heads' key points.

    Raises:
        ValueError: if a head is of another kind.
    """

    def __init__(
        self, heads: Sequence[Head], weights: LossWeights | None = None, sigmas: Sequence[float] = ()
    ) -> None:
        if any(head.kind != "yolo" for head in heads):
            raise ValueError("only heads of kind 'yolo' can be trained")
        self.heads, self.weights = tuple(heads), weights or LossWeights()
        self.sigmas = np.asarray(sigmas, np.float32)  # (K,)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the terms."""
        return (*LOSSES, *KEYPOINT_LOSSES) if self.heads[0].key_points else LOSSES

    def __call__(self, targets: Mapping[str, Any], raw_heads: Sequence[Any]) -> dict[str, Any]:
        """The terms, weighted, by their names.

        Args:
            targets: padded to one size for all images of the batch of B:
                slot, int32 (B, P): positive slots, padded with 0;
                cxcywh, float32 (B, P, 4): their ground-truth boxes, pixels, padded with 1;
                class_id, int32 (B, P);
                positive, float32 (B, P): 1, or 0 for padding;
                taken, uint8 (B, S): 1 for positive slots, counted through all heads;
                ground_truths, float32 (B, T, 4): xyxy of all ground-truth boxes, padded with 0;
                ignored, float32 (B, T): 1 for ground-truth boxes that are crowd or difficult;
                keypoints, float32 (B, P, K, 3), if the heads have some: x and y in pixels, and a visibility
                above 0 where they are labelled.
            raw_heads: float32 (B, rows, columns, channels) each.
        """
        values, boxes = self._decoded(raw_heads)  # (B, S, values), (B, S, 4) xyxy
        end = 5 + self.heads[0].class_count
        slot, positive = targets["slot"], ops.cast(targets["positive"], "float32")
        mine = _take(boxes, slot)  # (B, P, 4)
        wanted = _xyxy(ops.cast(targets["cxcywh"], "float32"))  # (B, P, 4)
        overlap, complete = ciou(mine, wanted)  # (B, P) each
        count = ops.maximum(ops.sum(positive), 1.0)
        box = ops.sum((1.0 - complete) * positive) / count
        logits = _take(values[..., 5:end], slot)  # (B, P, classes)
        classes = ops.sum(self._class_loss(logits, targets["class_id"]) * positive) / count
        fit = ops.stop_gradient(ops.clip(overlap, 0.0, 1.0)) * positive  # (B, P)
        objectness = self._objectness(values[..., 4], boxes, fit, targets) / count
        w = self.weights
        terms = {"box": w.box * box, "objectness": w.objectness * objectness, "class": w.classes * classes}
        if self.heads[0].key_points:
            terms |= self._keypoint_terms(_take(values[..., end:], slot), mine, targets)
        return terms

    def _keypoint_terms(self, raw: Any, boxes: Any, targets: Mapping[str, Any]) -> dict[str, Any]:
        """The two terms of key points. Boxes learn nothing from them.

        Args:
            raw: (B, P, 3 · K), the values of the positive slots.
            boxes: (B, P, 4), their boxes, xyxy.
            targets: see above.
        """
        xy, logit = keypoints_from_raw(raw, _cxcywh(ops.stop_gradient(boxes)), ops)  # (B, P, K, 2), (B, P, K)
        wanted = ops.cast(targets["keypoints"], "float32")  # (B, P, K, 3)
        labelled = ops.cast(wanted[..., 2] > 0, "float32")  # (B, P, K)
        count = ops.sum(labelled, axis=-1)  # (B, P)
        some = ops.cast(count > 0, "float32")  # (B, P)
        area = OUTLINE * ops.prod(ops.cast(targets["cxcywh"], "float32")[..., 2:], axis=-1)  # (B, P)
        squared = ops.sum(ops.square(xy - wanted[..., :2]), axis=-1)  # (B, P, K)
        e = squared / (area[..., None] * (2 * np.square(2 * self.sigmas)))  # (B, P, K)
        far = ops.sum(ops.log1p(e) * labelled, axis=-1) / ops.maximum(count, 1.0)  # (B, P)
        unseen = ops.mean(cross_entropy(logit, labelled), axis=-1)  # (B, P)
        objects, w = ops.maximum(ops.sum(some), 1.0), self.weights
        return {
            "keypoints": w.keypoints * ops.sum(far * some) / objects,
            "visible": w.visible * ops.sum(unseen * some) / objects,
        }

    def _decoded(self, raw_heads: Sequence[Any]) -> tuple[Any, Any]:
        """All slots of all heads: their values (B, S, values) and boxes (B, S, 4), xyxy in pixels."""
        all_values, all_boxes = [], []
        for raw, head in zip(raw_heads, self.heads, strict=True):
            _, rows, columns, _ = raw.shape
            values = ops.reshape(raw, (-1, rows * columns * len(head.anchors), head.values))
            values = ops.cast(values, "float32")
            cell = ops.convert_to_tensor(slot_cells([head], [(rows, columns)]))  # (S of this head, 2)
            anchor = ops.convert_to_tensor(slot_anchors([head], [(rows, columns)]))  # (S of this head, 2)
            cxcywh = boxes_from_raw(values, cell, anchor, head, xp=ops)
            all_values.append(values)
            all_boxes.append(_xyxy(cxcywh))
        return ops.concatenate(all_values, axis=1), ops.concatenate(all_boxes, axis=1)

    def _objectness(self, logit: Any, boxes: Any, fit: Any, targets: Mapping[str, Any]) -> Any:
        """Cross-entropy of every slot's objectness, summed over the batch.

        The cross-entropy is softplus(x) for the target 0 and softplus(x) − x·z for the target z. So the
        sum over all slots is corrected in positive and ignored slots. Only the most confident slots are
        considered for ignoring; the others contribute next to nothing.

        Args:
            logit: (B, S).
            boxes: (B, S, 4), xyxy.
            fit: (B, P), the targets of positive slots, 0 for padding.
            targets: see above.
        """
        _, top = ops.top_k(ops.stop_gradient(logit), min(MOST_IGNORED, logit.shape[1]))  # (B, K)
        top = ops.cast(top, "int32")
        mask = self._ignored(boxes, top, targets)  # (B, K)
        everywhere = ops.sum(ops.softplus(logit))
        ignored = ops.sum(ops.softplus(ops.take_along_axis(logit, top, axis=1)) * mask)
        return everywhere - ignored - ops.sum(ops.take_along_axis(logit, targets["slot"], axis=1) * fit)

    def _class_loss(self, logits: Any, class_id: Any) -> Any:
        """Cross-entropy summed over classes, (B, P)."""
        shift = self.weights.label_smoothing / 2
        wanted = ops.one_hot(class_id, logits.shape[-1], dtype="float32")  # (B, P, classes)
        wanted = wanted * (1.0 - 2.0 * shift) + shift
        return ops.sum(cross_entropy(logits, wanted), axis=-1)

    def _ignored(self, boxes: Any, slot: Any, targets: Mapping[str, Any]) -> Any:
        """1 for those of some slots (B, K) that are ignored, else 0."""
        ground_truths = ops.cast(targets["ground_truths"], "float32")  # (B, T, 4)
        ignored = ops.cast(targets["ignored"], "float32")[:, None]  # (B, 1, T)
        mine = ops.stop_gradient(_take(boxes, slot))  # (B, K, 4)
        both, own, theirs = areas(mine[:, :, None], ground_truths[:, None])  # (B, K, T), (B, K, 1), (B, 1, T)
        iou = both / (own + theirs - both + TINY)  # (B, K, T)
        # For a crowd or a difficult object, the fraction of the slot's own box that is inside counts.
        inside = both / (own + TINY) - 0.5  # (B, K, T)
        near = ops.where(ignored > 0, inside, iou - self.weights.ignore_iou)  # (B, K, T)
        free = 1.0 - ops.cast(ops.take_along_axis(targets["taken"], slot, axis=1), "float32")  # (B, K)
        return free * ops.cast(ops.any(near > 0, axis=2), "float32")


def ciou(a: Any, b: Any) -> tuple[Any, Any]:
    """IoU and complete IoU (…) of boxes ``a`` (…, 4) with ``b`` (…, 4), xyxy, box by box.

    The weight of the aspect ratio term is held constant in the gradient, as its authors advise.
    """
    both, own, theirs = areas(a, b)  # (…) each
    iou = both / (own + theirs - both + TINY)  # (…)
    low, high = ops.minimum(a[..., :2], b[..., :2]), ops.maximum(a[..., 2:], b[..., 2:])  # (…, 2) each
    diagonal = ops.sum(ops.square(high - low), axis=-1) + TINY  # (…)
    apart = ops.sum(ops.square((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2), axis=-1)  # (…)
    v = ops.square(_aspect(a) - _aspect(b)) * (4 / np.pi**2)  # (…)
    alpha = ops.stop_gradient(v / (1.0 - iou + v + TINY))  # (…)
    return iou, iou - apart / diagonal - alpha * v


def areas(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Common area of boxes (…, 4), and the areas of both, (…) each."""
    side = ops.minimum(a[..., 2:], b[..., 2:]) - ops.maximum(a[..., :2], b[..., :2])  # (…, 2)
    side = ops.maximum(side, 0.0)
    own, theirs = a[..., 2:] - a[..., :2], b[..., 2:] - b[..., :2]  # (…, 2) each
    return side[..., 0] * side[..., 1], own[..., 0] * own[..., 1], theirs[..., 0] * theirs[..., 1]


def _aspect(boxes: Any) -> Any:
    """The angle (…) whose tangent is width over height."""
    side = boxes[..., 2:] - boxes[..., :2]  # (…, 2)
    return ops.arctan(side[..., 0] / (side[..., 1] + TINY))


def cross_entropy(logit: Any, wanted: Any) -> Any:
    """Binary cross-entropy (…) of logits (…) against targets (…) in [0, 1], stable for any logit."""
    return ops.softplus(logit) - logit * wanted


def _take(values: Any, slot: Any) -> Any:
    """The rows ``slot`` (B, P) of ``values`` (B, S, C): (B, P, C)."""
    return ops.take_along_axis(values, slot[..., None], axis=1)


def _xyxy(cxcywh: Any) -> Any:
    """Corners (…, 4) of boxes given by centre and size (…, 4)."""
    half = cxcywh[..., 2:] / 2  # (…, 2)
    return ops.concatenate([cxcywh[..., :2] - half, cxcywh[..., :2] + half], axis=-1)


def _cxcywh(xyxy: Any) -> Any:
    """Centre and size (…, 4) of boxes given by corners (…, 4)."""
    low, high = xyxy[..., :2], xyxy[..., 2:]  # (…, 2) each
    return ops.concatenate([(low + high) / 2, high - low], axis=-1)
