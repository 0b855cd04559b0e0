"""A preview sheet of augmented training images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from yolo_cli.augment.pipeline import Labelled, augment, images_needed
from yolo_cli.augment.placement import Canvas
from yolo_cli.config import AugmentConfig
from yolo_cli.datasets import Dataset
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.images import Image
from yolo_cli.render import DrawStyle, draw

__all__ = ["preview"]

Pixels = NDArray[np.uint8]

GAP = 4  # white pixels between two images


def preview(
    samples: Sequence[Labelled],
    data: Dataset,
    rng: np.random.Generator,
    config: AugmentConfig,
    net_size: Canvas,
    grid: Canvas = (4, 4),
) -> Pixels:
    """A sheet of augmented images, with boxes, class names and key points.

    Args:
        samples: images with their boxes; those on the sheet are drawn at random.
        data: the data set that they are of.
        rng: the source of all random numbers.
        config: probabilities and strengths.
        net_size: height and width of each image on the sheet.
        grid: rows and columns of the sheet.

    Returns:
        uint8, (height, width, 3), RGB: a grid of images of ``net_size``.

    Raises:
        ValueError: if there are no samples.
    """
    if not len(samples):
        raise ValueError("a preview needs at least one image")
    (rows, columns), (height, width) = grid, net_size
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for row, column in np.ndindex(rows, columns):
        chosen = rng.integers(len(samples), size=images_needed(rng, config))
        y, x = row * (height + GAP), column * (width + GAP)
        flip_idx = data.key_points.flip_idx if data.key_points else ()
        augmented = augment([samples[i] for i in chosen], rng, config, net_size, flip_idx)
        sheet[y : y + height, x : x + width] = _labelled(*augmented, data)
    return sheet


def _labelled(rgb: Pixels, ground_truth: GroundTruth, data: Dataset) -> Pixels:
    """A copy of the image with its boxes, class names and key points."""
    xyxy = ground_truth.xyxy.astype(np.float32)
    boxes = Detections(
        xyxy,
        np.ones(len(xyxy), np.float32),
        ground_truth.class_id.astype(np.int64),
        keypoints=ground_truth.keypoints,
        skeleton=data.skeleton,
    )
    return draw(Image(rgb), boxes, data.class_names, DrawStyle(confidence=False))
