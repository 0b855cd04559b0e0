"""Fast R-CNN: one feature map for all regions.

Girshick, "Fast R-CNN", ICCV 2015. The network sees the image once. Each proposal of selective search takes
its part of the feature map, and one small head judges it and fixes its box. So the work no longer grows with
the number of regions, but for the head; what remains slow is selective search itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.feature_map import image_features, judge_regions, map_cost, region_features
from yolo_cli.detectors.regions import Cost, RegionScores
from yolo_cli.engines import Engine
from yolo_cli.images import Image

__all__ = ["MapClassifier"]

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class MapClassifier:
    """Judges all regions by one run of the network.

    Attributes:
        backbone: images, uint8 (1, SIDE, SIDE, 3) → features (1, C, rows, columns), a cell every STRIDE
            pixels.
        head: features, float32 (N, BINS, BINS, C) → scores before softmax (N, K + 1), background last, and
            changes of the box (N, 4 K).
    """

    backbone: Engine
    head: Engine

    def classify(self, image: Image, boxes: Floats) -> RegionScores:
        """What the regions (N, 4) of ``image`` show."""
        return judge_regions(self.head, image_features(self.backbone, image), image, boxes)

    def cost(self, image: Image) -> Cost:
        """One run of the first network, and one of the second for each region."""
        features = image_features(self.backbone, image)  # (rows, columns, C)
        head = self.head.multiply_accumulates(region_features(features, image, np.zeros((1, 4))))
        return Cost(map_cost(self.backbone), head)
