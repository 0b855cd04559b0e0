"""Faster R-CNN: the network proposes as well.

Ren, He, Girshick and Sun, "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks",
NIPS 2015. What Fast R-CNN still took from selective search comes from a small network on the feature map that
is computed anyway. A few hundred proposals suffice instead of two thousand, and cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.feature_map import classify_regions, image_features, map_cost, region_features
from yolo_cli.detectors.proposal_network import best_proposals
from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.regions import proposal_origins
from yolo_cli.detectors.trace import RegionScores
from yolo_cli.engines import Engine
from yolo_cli.images import Image

__all__ = ["FasterRcnn", "MappedImage"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class MappedImage:
    """An image and its feature map (rows, columns, C), from which both networks work."""

    image: Image
    features: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FasterRcnn:
    """Proposes and classifies from one run of the backbone; a `RegionMethod`.

    Attributes:
        backbone: images, uint8 (1, SIDE, SIDE, 3) → features (1, C, rows, columns).
        proposer: features, float32 (1, rows, columns, C) → predictions for each anchor (1, rows,
            columns, 5 · ANCHORS).
        head: features of regions, as `yolo_cli.detectors.feature_map.classify_regions` takes it.
    """

    backbone: Engine
    proposer: Engine
    head: Engine

    def view(self, image: Image) -> MappedImage:
        """The image with its feature map."""
        return MappedImage(image, image_features(self.backbone, image))

    def propose(self, view: MappedImage) -> Floats:
        """The likeliest regions of objects, (N, 4) in pixels of the image."""
        [[raw]] = self.proposer.run(view.features[None])  # (rows, columns, 5 · ANCHORS)
        return best_proposals(raw, view.image)

    def classify(self, view: MappedImage, boxes: Floats) -> RegionScores:
        """The predictions for the regions ``boxes`` (N, 4)."""
        return classify_regions(self.head, view.features, view.image, boxes)

    def origins(self, _view: MappedImage, numbers: Integers) -> list[str]:
        """The rank of each of the proposals ``numbers`` (M,)."""
        return proposal_origins(numbers)

    def cost(self, image: Image) -> Cost:
        """One run of the backbone and of the network that proposes, and one of the head for each region."""
        features = self.view(image).features  # (rows, columns, C)
        head = self.head.multiply_accumulates(region_features(features, image, np.zeros((1, 4))))
        whole = map_cost(self.backbone) + self.proposer.multiply_accumulates(features[None])
        return Cost(whole, head)
