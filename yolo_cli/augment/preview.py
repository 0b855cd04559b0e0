"""What training will see, on one sheet that a person can look at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.augment.pipeline import Labelled, augment, images_needed
from yolo_cli.augment.placement import Canvas
from yolo_cli.config import AugmentConfig
from yolo_cli.detections import GroundTruth
from yolo_cli.render import class_colour

__all__ = ["preview"]

Pixels = NDArray[np.uint8]

GAP = 4  # white pixels between two images


def preview(
    samples: Sequence[Labelled],
    rng: np.random.Generator,
    config: AugmentConfig,
    net_size: Canvas,
    grid: Canvas = (4, 4),
) -> Pixels:
    """A sheet of augmented images, with a frame around each box in the colour of its class.

    Args:
        samples: images with their boxes; which are on the sheet is drawn by chance.
        rng: all chance comes from here.
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
        framed = _framed(*augment([samples[i] for i in chosen], rng, config, net_size))
        sheet[y : y + height, x : x + width] = framed
    return sheet


def _framed(rgb: Pixels, ground_truth: GroundTruth) -> Pixels:
    """A copy of the image with frames of two pixels; names would hide what is to be looked at."""
    canvas = rgb.copy()
    for box, class_id in zip(
        np.rint(ground_truth.xyxy).astype(int).tolist(), ground_truth.class_id.tolist(), strict=True
    ):
        cv2.rectangle(canvas, box[:2], (box[2] - 1, box[3] - 1), class_colour(class_id), 2)
    return canvas
