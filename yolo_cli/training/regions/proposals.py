"""Train the region proposal network: objectness and box of each anchor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.detections import GroundTruth
from yolo_cli.detectors.proposal_network import ANCHORS, anchor_boxes
from yolo_cli.detectors.regions import deltas_between
from yolo_cli.framework import ops
from yolo_cli.model.proposals import build_proposal_network
from yolo_cli.model.region_heads import DELTA_SCALE
from yolo_cli.training.regions.labelling import in_ignored, trainable
from yolo_cli.training.workspace import NO_WORKSPACE, EpochBatches, Workspace, compile_adamw, set_seed

__all__ = ["fit_proposal_network", "label_anchors", "proposal_loss"]

Floats = NDArray[np.floating[Any]]

BATCH = 8  # images
RATE = 1e-3
# IoU with an object from which an anchor is positive, and below which it is negative.
POSITIVE_IOU, NEGATIVE_IOU = 0.7, 0.3
SAMPLED, MOST_POSITIVE = 256, 128  # sampled anchors per image, and the maximum of positive ones


def label_anchors(
    anchors: Floats, ground_truth: GroundTruth, random: np.random.Generator
) -> NDArray[np.float32]:
    """The targets of the anchors (R, 4) of one image.

    As in Ren et al., section 3.1.2: an anchor is positive if its IoU with an object is at least POSITIVE_IOU,
    or higher than that of any other anchor; it is negative if its IoU with every object is below
    NEGATIVE_IOU. Some of both kinds are sampled; the others are ignored.

    Args:
        anchors: in pixels of the network's input.
        ground_truth: of the image, in the same pixels. Anchors on difficult objects and crowds are ignored.
        random: the source of all random numbers.

    Returns:
        (R, 5): 1 for a positive anchor, 0 for a negative one, -1 for an ignored one; and dx, dy, dw, dh of
        positive ones, else 0.
    """
    out = np.zeros((len(anchors), 5), np.float32)
    out[:, 0] = -1
    targets = trainable(ground_truth)
    every = box_iou(anchors, ground_truth.xyxy.astype(np.float64)).max(axis=1, initial=0)  # (R,)
    own = box_iou(anchors, targets.xyxy.astype(np.float64))  # (R, T)
    best = own.max(axis=0)  # (T,)
    positive = ((own >= POSITIVE_IOU) | ((own == best) & (best > 0))).any(axis=1)  # (R,)
    chosen = _some(positive, MOST_POSITIVE, random)  # (P,)
    background = (every < NEGATIVE_IOU) & ~positive & ~in_ignored(anchors, ground_truth)  # (R,)
    out[_some(background, SAMPLED - len(chosen), random), 0] = 0
    out[chosen, 0] = 1
    if len(chosen):
        out[chosen, 1:] = deltas_between(anchors[chosen], targets.xyxy[own[chosen].argmax(axis=1)])
    return out


def _some(mask: NDArray[np.bool_], count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """A random sample of at most ``count`` indices where ``mask`` (R,) is true."""
    return random.permutation(np.flatnonzero(mask))[:count]


def proposal_loss(target: Any, raw: Any) -> Any:
    """The loss of each image (B,).

    Binary cross-entropy of the sampled anchors, and Huber loss of the boxes of positive ones, both divided by
    SAMPLED.

    Args:
        target: (B, rows, columns, 5 · anchors), from `label_anchors`.
        raw: output of the network, of the same shape.
    """
    count = target.shape[1] * target.shape[2] * target.shape[3] // 5
    wanted, said = (ops.reshape(values, (-1, count, 5)) for values in (target, raw))  # (B, R, 5) each
    label, logit = wanted[..., 0], said[..., 0]  # (B, R), (B, R)
    object_loss = (ops.softplus(logit) - logit * label) * ops.cast(label >= 0, "float32")  # (B, R)
    miss = ops.abs(said[..., 1:] - wanted[..., 1:]) / ops.convert_to_tensor(DELTA_SCALE)  # (B, R, 4)
    huber = ops.where(miss < 1.0, 0.5 * miss * miss, miss - 0.5)  # (B, R, 4)
    box_loss = ops.sum(huber, axis=-1) * ops.cast(label > 0, "float32")  # (B, R)
    return ops.sum(object_loss + box_loss, axis=-1) / SAMPLED


class _Batches(EpochBatches):
    """Maps with their targets; shuffled, and with newly sampled anchors, in every epoch."""

    def __init__(
        self, maps: Sequence[NDArray[np.float16]], ground_truths: Sequence[GroundTruth], seed: int
    ) -> None:
        super().__init__(len(ground_truths), BATCH, seed)
        self._maps, self._ground_truths = maps, ground_truths
        self._anchors = anchor_boxes(*maps[0].shape[:2])  # (R, 4)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Maps (B, rows, columns, C) and targets (B, rows, columns, 5 · ANCHORS)."""
        random = np.random.default_rng((self.seed, self.epoch, index))
        chosen = self.chosen(index)  # (B,)
        targets = np.stack([label_anchors(self._anchors, self._ground_truths[one], random) for one in chosen])
        maps = np.stack([self._maps[one] for one in chosen]).astype(np.float32)
        return maps, targets.reshape(*maps.shape[:3], 5 * ANCHORS)


def fit_proposal_network(
    maps: Sequence[NDArray[np.float16]],
    ground_truths: Sequence[GroundTruth],
    epochs: int,
    seed: int = 0,
    workspace: Workspace = NO_WORKSPACE,
) -> Any:
    """Train the region proposal network on feature maps and ground-truth boxes.

    Args:
        maps: (rows, columns, C) of each image.
        ground_truths: of each image, in pixels of the network's input.
        epochs: number of epochs.
        seed: random seed.
        workspace: stores intermediate results.
    """
    set_seed(seed)
    model = build_proposal_network(maps[0].shape[-1], ANCHORS)
    batches = _Batches(maps, ground_truths, seed)
    compile_adamw(model, [proposal_loss], RATE, epochs * len(batches))
    workspace.fit(model, batches, epochs)
    return model
