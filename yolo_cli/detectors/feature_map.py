"""One feature map per image, and the features of a region in it.

Several detectors share it, so that the network runs once per image instead of once per region.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.regions import apply_deltas, proposal_origins, softmax
from yolo_cli.detectors.roi_align import roi_align
from yolo_cli.detectors.trace import RegionScores
from yolo_cli.engines import Engine
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox

__all__ = [
    "BINS",
    "SIDE",
    "STRIDE",
    "MapMethod",
    "MappedImage",
    "image_features",
    "map_cost",
    "region_features",
]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

SIDE = 416  # pixels of the network's input, height and width
STRIDE = 16  # pixels of that per cell of the feature map
BINS = 4  # rows and columns of the features of a region


def image_features(backbone: Engine, image: Image) -> NDArray[np.float32]:
    """The feature map of an image, (rows, columns, C)."""
    pixels = Letterbox.fit(image.height, image.width, SIDE, SIDE).apply(image.rgb)  # (SIDE, SIDE, 3)
    [[features]] = backbone.run(pixels[None])  # (C, rows, columns)
    return np.ascontiguousarray(features.transpose(1, 2, 0))


def region_features(features: Floats, image: Image, boxes: Floats) -> Floats:
    """Features of each region from an image's map (rows, columns, C): (N, BINS, BINS, C)."""
    letterbox = Letterbox.fit(image.height, image.width, SIDE, SIDE)
    return roi_align(features, letterbox.forward(boxes.astype(np.float32)) / STRIDE, BINS)


def map_cost(backbone: Engine) -> int:
    """Multiply-accumulates for the map of one image of any size."""
    return backbone.multiply_accumulates(np.zeros((1, SIDE, SIDE, 3), np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class MappedImage:
    """An image and its feature map, (rows, columns, C)."""

    image: Image
    features: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MapMethod:
    """Classifies regions from one feature map; a `RegionMethod` without `propose`.

    Attributes:
        backbone: images, uint8 (1, SIDE, SIDE, 3) → features (1, C, rows, columns), a cell every STRIDE
            pixels.
        head: features, float32 (N, BINS, BINS, C) → scores before softmax (N, K + 1), background last, and
            deltas of the box (N, 4 K).
    """

    backbone: Engine
    head: Engine

    def view(self, image: Image) -> MappedImage:
        """The image with its feature map."""
        return MappedImage(image, image_features(self.backbone, image))

    def classify(self, view: MappedImage, boxes: Floats) -> RegionScores:
        """The predictions for the regions ``boxes`` (N, 4), from one run of the head."""
        features = region_features(view.features, view.image, boxes)  # (N, BINS, BINS, C)
        logits, deltas = self.head.run(features)  # (N, K + 1), (N, 4 K)
        scores = softmax(logits)[:, :-1]  # (N, K)
        return RegionScores(scores, apply_deltas(boxes, deltas.reshape(*scores.shape, 4)))

    def origins(self, _view: MappedImage, numbers: Integers) -> list[str]:
        """The rank of each of the proposals ``numbers`` (M,)."""
        return proposal_origins(numbers)

    def cost(self, image: Image) -> Cost:
        """One run of the backbone, and one of the head per region."""
        features = region_features(self.view(image).features, image, np.zeros((1, 4)))
        return Cost(map_cost(self.backbone), self.head.multiply_accumulates(features))
