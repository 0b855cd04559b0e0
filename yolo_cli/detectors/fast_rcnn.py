"""Fast R-CNN: one feature map for all regions.

Girshick, "Fast R-CNN", ICCV 2015. The network runs over the image once. Each proposal of selective search
takes its part of the feature map, and one small head classifies it and refines its box. So the work no longer
grows with the number of regions, but for the head; what remains slow is selective search itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.feature_map import classify_regions, image_features, map_cost, region_features
from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.selective_search import SelectiveSearch
from yolo_cli.detectors.trace import RegionScores
from yolo_cli.engines import Engine
from yolo_cli.images import Image

__all__ = ["FastRcnn"]

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class FastRcnn(SelectiveSearch):
    """Classifies the proposals of selective search by one run of the network; a `RegionMethod`.

    Attributes:
        backbone: images, uint8 (1, SIDE, SIDE, 3) → features (1, C, rows, columns), a cell every STRIDE
            pixels.
        head: features, float32 (N, BINS, BINS, C) → scores before softmax (N, K + 1), background last, and
            deltas of the box (N, 4 K).
    """

    backbone: Engine
    head: Engine

    def classify(self, image: Image, boxes: Floats) -> RegionScores:
        """The predictions for the regions ``boxes`` (N, 4) of ``image``."""
        return classify_regions(self.head, image_features(self.backbone, image), image, boxes)

    def cost(self, image: Image) -> Cost:
        """One run of the first network, and one of the second for each region."""
        features = image_features(self.backbone, image)  # (rows, columns, C)
        head = self.head.multiply_accumulates(region_features(features, image, np.zeros((1, 4))))
        return Cost(map_cost(self.backbone), head)
