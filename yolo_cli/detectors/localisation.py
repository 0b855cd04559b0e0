"""Localisation: one object per image, its class and its box, from one vector.

The first step of Andrew Ng's course (Convolutional Neural Networks, week 3): a classifier with four more
outputs for the box, and one for whether there is an object at all. It can find only one object per image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import sigmoid
from yolo_cli.detectors.feature_map import SIDE, image_features, map_cost
from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.regions import softmax
from yolo_cli.detectors.trace import RegionScores
from yolo_cli.engines import Engine
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox

__all__ = ["BOX", "Localiser", "coarse_features", "decode", "encode"]

Floats = NDArray[np.floating[Any]]

BOX = 4  # numbers of the vector between p_c and the classes
POOL = 2  # pooling of the shared map in each direction: a single box needs no finer grid


@dataclass(frozen=True, slots=True)
class Localiser:
    """Classifies and locates the one object of an image; a `RegionMethod`.

    Attributes:
        backbone: images, uint8 (1, SIDE, SIDE, 3) → features (1, C, rows, columns).
        head: coarse features, float32 (1, rows / POOL, columns / POOL, C) → the raw vector (1, 5 + K).
    """

    backbone: Engine
    head: Engine

    def view(self, image: Image) -> Image:
        """The image itself."""
        return image

    def propose(self, image: Image) -> Floats:
        """The only region, (1, 4): the image."""
        return np.array([[0.0, 0.0, image.width, image.height]])

    def origins(self, _image: Image, numbers: NDArray[np.integer[Any]]) -> list[str]:
        """The origin of each of the regions ``numbers`` (M,)."""
        return ["the whole image"] * len(numbers)

    def classify(self, image: Image, _boxes: Floats) -> RegionScores:
        """The most likely class of the object, with its box; every other class has the score 0."""
        [raw] = self.head.run(coarse_features(self.backbone, image)[None])  # (1, 5 + K)
        scores, square = decode(raw.astype(np.float64))  # (1, K), (1, 4)
        best = scores == scores.max(axis=1, keepdims=True)  # (1, K)
        letterbox = Letterbox.fit(image.height, image.width, SIDE, SIDE)
        return RegionScores(np.where(best, scores, 0.0), letterbox.undo(square * SIDE)[:, None])

    def cost(self, image: Image) -> Cost:
        """One run of both networks."""
        features = coarse_features(self.backbone, image)[None]  # (1, rows, columns, C)
        return Cost(map_cost(self.backbone) + self.head.multiply_accumulates(features), 0)


def coarse_features(backbone: Engine, image: Image) -> NDArray[np.float32]:
    """The shared map of an image, average-pooled by POOL: (rows / POOL, columns / POOL, C)."""
    features = image_features(backbone, image)  # (rows, columns, C)
    rows, columns, channels = features.shape
    blocks = features.reshape(rows // POOL, POOL, columns // POOL, POOL, channels)
    coarse: NDArray[np.float32] = blocks.mean(axis=(1, 3))
    return coarse


def encode(box: Floats | None, class_id: int, classes: int) -> NDArray[np.float32]:
    """The target vector of an image: p_c, b_x, b_y, b_h, b_w, c_1 … c_K, in the order of the course.

    Args:
        box: (4,), xyxy of the object as fractions of the network's input; None if there is no object. Then
            p_c is 0 and everything else is ignored.
        class_id: of the object.
        classes: K.

    Returns:
        (5 + K,): centre, height and width as fractions of the input's sides.

    >>> encode(np.array([0.1, 0.2, 0.5, 0.8]), 1, 3).tolist()
    [1.0, 0.30000001192092896, 0.5, 0.6000000238418579, 0.4000000059604645, 0.0, 1.0, 0.0]
    """
    vector = np.zeros(1 + BOX + classes, np.float32)
    if box is not None:
        low, high = box[:2], box[2:]  # (2,), (2,)
        width, height = high - low
        vector[: 1 + BOX] = (1, *(low + high) / 2, height, width)
        vector[1 + BOX + class_id] = 1
    return vector


def decode(raw: Floats) -> tuple[Floats, Floats]:
    """Scores and boxes of raw vectors (N, 5 + K); the inverse of `encode` for confident predictions.

    The network's p_c and box go through σ, its classes through a softmax.

    Returns:
        p_c times the probability of each class (N, K), and xyxy (N, 4) as fractions of the input.
    """
    values = sigmoid(raw[:, : 1 + BOX])  # (N, 5)
    centre, half = values[:, 1:3], values[:, 4:2:-1] / 2  # (N, 2), (N, 2), x before y
    xyxy = np.concatenate([centre - half, centre + half], axis=1)  # (N, 4)
    return values[:, :1] * softmax(raw[:, 1 + BOX :]), xyxy
