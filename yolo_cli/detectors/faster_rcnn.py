"""Faster R-CNN: the network proposes as well.

Ren, He, Girshick and Sun, "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks",
NIPS 2015. What Fast R-CNN still took from selective search comes from a small network on the feature map that
is there anyway. A few hundred proposals do in place of two thousand, and cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.feature_map import image_features, judge_regions, map_cost, region_features
from yolo_cli.detectors.proposal_network import best_proposals
from yolo_cli.detectors.regions import Cost, RegionScores
from yolo_cli.engines import Engine
from yolo_cli.images import Image

__all__ = ["FasterRcnn", "Seen"]

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """An image and its feature map (rows, columns, C), on which both networks stand."""

    image: Image
    features: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FasterRcnn:
    """Proposes and judges from one run of the backbone.

    Attributes:
        backbone: images, uint8 (1, SIDE, SIDE, 3) → features (1, C, rows, columns).
        proposer: features, float32 (1, rows, columns, C) → what each anchor holds (1, rows, columns, 5 ·
            ANCHORS).
        head: features of regions, as `yolo_cli.detectors.feature_map.judge_regions` takes it.
    """

    backbone: Engine
    proposer: Engine
    head: Engine

    def see(self, image: Image) -> Seen:
        """The image with its feature map."""
        return Seen(image, image_features(self.backbone, image))

    def propose(self, seen: Seen) -> Floats:
        """Where objects are likeliest, (N, 4) in pixels of the image."""
        [[raw]] = self.proposer.run(seen.features[None])  # (rows, columns, 5 · ANCHORS)
        return best_proposals(raw, seen.image)

    def classify(self, seen: Seen, boxes: Floats) -> RegionScores:
        """What the regions (N, 4) show."""
        return judge_regions(self.head, seen.features, seen.image, boxes)

    def cost(self, image: Image) -> Cost:
        """One run of the backbone and of the network that proposes, and one of the head for each region."""
        features = self.see(image).features  # (rows, columns, C)
        head = self.head.multiply_accumulates(region_features(features, image, np.zeros((1, 4))))
        whole = map_cost(self.backbone) + self.proposer.multiply_accumulates(features[None])
        return Cost(whole, head)
