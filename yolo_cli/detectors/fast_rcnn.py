"""Fast R-CNN: one feature map for all regions.

Girshick, "Fast R-CNN", ICCV 2015. The network runs over the image once. For each
proposal of selective search, a small head classifies its part of the feature map and refines its box. Only
the head's work grows with the number of regions; selective search itself remains slow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.feature_map import MapMethod, MappedImage
from yolo_cli.detectors.selective_search import selective_search

__all__ = ["FastRcnn"]


class FastRcnn(MapMethod):
    """Proposes by selective search; a `RegionMethod`."""

    __slots__ = ()

    def propose(self, view: MappedImage) -> NDArray[np.floating[Any]]:
        """The boxes of selective search, (N, 4) in pixels of the image."""
        return selective_search(view.image)
