"""Faster R-CNN: the network also proposes the regions.

Ren, He, Girshick and Sun, "Faster R-CNN: Towards Real-Time Object Detection with Region Proposal Networks",
NIPS 2015. A small network on the shared feature map replaces selective search. A few hundred proposals
suffice instead of two thousand, and cost next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.feature_map import MapMethod, MappedImage
from yolo_cli.detectors.proposal_network import best_proposals
from yolo_cli.detectors.protocol import Cost
from yolo_cli.engines import Engine
from yolo_cli.images import Image

__all__ = ["FasterRcnn"]


@dataclass(frozen=True, slots=True)
class FasterRcnn(MapMethod):
    """Proposes regions from the feature map; a `RegionMethod`.

    Attributes:
        proposer: features, float32 (1, rows, columns, C) → predictions for each anchor (1, rows,
            columns, 5 · ANCHORS).
    """

    proposer: Engine

    def propose(self, view: MappedImage) -> NDArray[np.floating[Any]]:
        """The proposals, (N, 4) in pixels of the image, most likely first."""
        [[raw]] = self.proposer.run(view.features[None])  # (rows, columns, 5 · ANCHORS)
        return best_proposals(raw, view.image)

    def cost(self, image: Image) -> Cost:
        """One run of the backbone and of the proposal network, and one of the head per region."""
        cost = MapMethod.cost(self, image)
        proposing = self.proposer.multiply_accumulates(self.view(image).features[None])
        return Cost(cost.whole + proposing, cost.each)
