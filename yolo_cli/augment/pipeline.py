"""Augmentation: one to five images with their boxes → one image of the network's size with its boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.augment.colour import Colour
from yolo_cli.augment.cutout import cut_out
from yolo_cli.augment.placement import Canvas, Placement
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth
from yolo_cli.keypoints import end_to_end
from yolo_cli.letterbox import GREY

__all__ = ["Labelled", "augment", "images_needed"]

Pixels = NDArray[np.uint8]
Labelled = tuple[Pixels, GroundTruth]
"""An image, RGB uint8 (height, width, 3), and its boxes in its pixels."""


def images_needed(rng: np.random.Generator, config: AugmentConfig) -> int:
    """Number of images for the next training image: 1, 2 (mixup), 4 (mosaic) or 5 (both)."""
    mosaic, mixup = rng.random(2) < (config.mosaic, config.mixup)
    return (4 if mosaic else 1) + int(mixup)


def augment(
    samples: Sequence[Labelled],
    rng: np.random.Generator,
    config: AugmentConfig,
    net_size: Canvas,
    flip_idx: Sequence[int] = (),
) -> Labelled:
    """Augment images together with their boxes.

    The number of images, drawn by :func:`images_needed`, decides what is done. One is randomly mirrored,
    resized, moved (and so cropped) and recoloured. Four are joined around a point: mosaic, Bochkovskiy et
    al., "YOLOv4", 2020. One more is blended over the result: mixup, Zhang et al., "Bag of Freebies for
    Training Object Detection", 2019. Finally rectangles are hidden: cutout, DeVries and Taylor, 2017.

    Crowd and difficult flags stay with their boxes. A box is dropped from the ground truth when too little of
    it remains visible (``config.min_visible``, ``placement.MIN_SIDE``). A key point outside the part of its
    image that is on the canvas is no longer labelled.

    Args:
        samples: 1, 2, 4 or 5 images with their boxes; they are not changed.
        rng: the source of all random numbers.
        config: probabilities and strengths.
        net_size: height and width of the network's input, pixels.
        flip_idx: the key point that each becomes in a mirrored image; () if they stay.

    Returns:
        The image (net height, net width, 3), RGB uint8, padded with grey, and its boxes in its pixels.

    Raises:
        ValueError: if there are 0, 3 or more than 5 images.
    """
    if len(samples) not in (1, 2, 4, 5):
        raise ValueError(f"augment takes 1, 2, 4 or 5 images, not {len(samples)}")
    rule = _Rule(config, flip_idx)
    joined = _mosaic(samples[:4], rng, rule, net_size) if len(samples) >= 4 else None
    rgb, ground_truth = joined or _single(samples[0], rng, rule, net_size)
    if len(samples) in (2, 5):
        rgb, ground_truth = _mixup((rgb, ground_truth), _single(samples[-1], rng, rule, net_size), rng)
    return cut_out(rgb, ground_truth, rng, config)


@dataclass(frozen=True, slots=True)
class _Rule:
    """How images are changed, and what becomes of their key points in mirrored ones; see `augment`."""

    config: AugmentConfig
    flip_idx: Sequence[int]

    def carry(self, placement: Placement, ground_truth: GroundTruth) -> GroundTruth:
        """The objects that are still visible, see `Placement.carry`."""
        return placement.carry(ground_truth, self.config.min_visible, self.flip_idx)


def _single(sample: Labelled, rng: np.random.Generator, rule: _Rule, canvas: Canvas) -> Labelled:
    """One image on a canvas of its own."""
    (rgb, ground_truth), config = sample, rule.config
    centred = Placement.centred(rgb.shape[:2], canvas)
    x, y = 0.5 + config.shift * rng.uniform(-1, 1, 2)
    placement = centred.varied(rng, config).moved(canvas, x, y)
    seen = rule.carry(placement, ground_truth)
    if len(ground_truth) and not len(seen):
        # A crop without any object is of less use than the complete image.
        placement, seen = centred, rule.carry(centred, ground_truth)
    painting = np.full((*canvas, 3), GREY, np.uint8)
    placement.paint(rgb, painting, Colour.draw(rng, config).apply)
    return painting, seen


def _mosaic(samples: Sequence[Labelled], rng: np.random.Generator, rule: _Rule, canvas: Canvas) -> Labelled:
    """Four images around a point, one in each quarter, each with one of its corners at the point."""
    painting, config = np.full((*canvas, 3), GREY, np.uint8), rule.config
    # The point is in the middle, or with full shift anywhere in the middle 40 % of each axis.
    y, x = np.rint(canvas * (0.5 + 0.4 * config.shift * rng.uniform(-1, 1, 2))).astype(int).tolist()
    ground_truths: list[GroundTruth] = []
    for quarter, (rgb, ground_truth) in enumerate(samples):
        below, right = divmod(quarter, 2)
        place = painting[(slice(y), slice(y, None))[below], (slice(x), slice(x, None))[right]]  # (h, w, 3)
        centred = Placement.centred(rgb.shape[:2], canvas)
        # Large enough to cover its quarter, but a long, narrow image must not outgrow the canvas.
        cover = max(place.shape[0] / centred.frame.scaled_height, place.shape[1] / centred.frame.scaled_width)
        placement = centred.varied(rng, config, min(cover, 1.0))
        placement = placement.moved(place.shape[:2], 1 - right, 1 - below)
        placement.paint(rgb, place, Colour.draw(rng, config).apply)
        ground_truths.append(_moved(rule.carry(placement, ground_truth), x * right, y * below))
    return painting, _joined(ground_truths)


def _mixup(first: Labelled, second: Labelled, rng: np.random.Generator) -> Labelled:
    """Blend two images of the same size; keep the boxes of both.

    The weight of the first is drawn from Beta(8, 8): about a half, rarely below a quarter.
    """
    weight = float(rng.beta(8, 8))
    blended = cv2.addWeighted(first[0], weight, second[0], 1 - weight, 0)  # (height, width, 3)
    return blended, _joined([first[1], second[1]])


def _moved(ground_truth: GroundTruth, x: int, y: int) -> GroundTruth:
    """The same objects, ``x`` pixels further right and ``y`` further down."""
    points = ground_truth.keypoints
    shifted = None if points is None else points + (points[..., 2:] > 0) * np.array([x, y, 0.0])  # (N, K, 3)
    return ground_truth.moved(
        ground_truth.xyxy + np.array([x, y, x, y], ground_truth.xyxy.dtype), keypoints=shifted
    )


def _joined(ground_truths: Sequence[GroundTruth]) -> GroundTruth:
    """All objects of several ground-truth boxes, in their order."""
    columns = {
        field.name: np.concatenate([getattr(ground_truth, field.name) for ground_truth in ground_truths])
        for field in fields(GroundTruth)
        if field.name not in ("wh", "keypoints")
    }
    return GroundTruth(
        **columns,
        keypoints=end_to_end([each.keypoints for each in ground_truths], [*map(len, ground_truths)]),
    )
