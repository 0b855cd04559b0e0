"""R-CNN: regions with CNN features.

Girshick, Donahue, Darrell and Malik, "Rich feature hierarchies for accurate object detection and semantic
segmentation", CVPR 2014. Every proposal of selective search is cut out, warped to one size and sent through a
network; a classifier for each class scores its features, and a linear regression for each class refines its
box. Accurate for its day, and slow: some two thousand runs of the network per image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.crops import warp
from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.regions import apply_deltas, proposal_origins
from yolo_cli.detectors.selective_search import selective_search
from yolo_cli.detectors.trace import RegionScores
from yolo_cli.engines import Engine
from yolo_cli.images import Image

__all__ = ["CONTEXT", "SIDE", "Rcnn", "crop_features"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

SIDE = 64  # height and width of a warped region in pixels; 227 in the paper
CONTEXT = 0.07  # context on each edge, as a fraction of that: 16 of 227 in the paper
AT_ONCE = 64  # crops per run of the network


@dataclass(frozen=True, slots=True)
class Rcnn:
    """Classifies each proposal of selective search in a run of its own; a `RegionMethod`.

    Attributes:
        backbone: crops, uint8 (B, SIDE, SIDE, 3) → features (B, C, rows, columns).
        head: features, float32 (B, rows, columns, C) → scores before σ (B, K), and deltas of the box
            (B, 4 K).
    """

    backbone: Engine
    head: Engine

    def view(self, image: Image) -> Image:
        """The image itself."""
        return image

    def propose(self, image: Image) -> Floats:
        """The boxes of selective search, (N, 4) in pixels of the image."""
        return selective_search(image)

    def origins(self, _image: Image, numbers: Integers) -> list[str]:
        """The rank of each of the proposals ``numbers`` (M,)."""
        return proposal_origins(numbers)

    def classify(self, image: Image, boxes: Floats) -> RegionScores:
        """The predictions for the regions ``boxes`` (N, 4) of ``image``."""
        scores: list[Floats] = []
        deltas: list[Floats] = []
        for start in range(0, max(1, len(boxes)), AT_ONCE):
            features = crop_features(self.backbone, image, boxes[start : start + AT_ONCE])
            for values, part in zip(self.head.run(features), (scores, deltas), strict=True):
                part.append(values)
        logits = np.concatenate(scores)  # (N, K)
        changes = np.concatenate(deltas).reshape(*logits.shape, 4)  # (N, K, 4)
        return RegionScores(0.5 + 0.5 * np.tanh(0.5 * logits), apply_deltas(boxes, changes))

    def cost(self, _image: Image) -> Cost:
        """One run of both networks per region."""
        [features] = self.backbone.run(np.zeros((1, SIDE, SIDE, 3), np.uint8))  # (1, C, rows, columns)
        crop = self.backbone.multiply_accumulates(np.zeros((1, SIDE, SIDE, 3), np.uint8))
        head = self.head.multiply_accumulates(features.transpose(0, 2, 3, 1))
        return Cost(0, crop + head)


def crop_features(backbone: Engine, image: Image, boxes: Floats) -> NDArray[np.float32]:
    """Features of each region, computed separately, (N, rows, columns, C)."""
    [features] = backbone.run(warp(image.rgb, boxes, SIDE, CONTEXT))  # (N, C, rows, columns)
    return np.ascontiguousarray(features.transpose(0, 2, 3, 1))
