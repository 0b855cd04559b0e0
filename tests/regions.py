"""A `RegionMethod` for tests, which proposes and predicts the same for every image."""

from __future__ import annotations

from typing import Any

import numpy as np

from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.regions import proposal_origins
from yolo_cli.detectors.trace import RegionScores

__all__ = ["FixedRegions"]


class FixedRegions:
    """The regions ``boxes`` (N, 4) with the predictions ``scores`` in every image."""

    def __init__(self, boxes: Any = None, scores: RegionScores | None = None) -> None:
        self.boxes, self.scores = np.zeros((0, 4)) if boxes is None else boxes, scores

    def view(self, image: Any) -> Any:
        return image

    def propose(self, _view: Any) -> Any:
        return self.boxes

    def classify(self, _view: Any, _boxes: Any) -> RegionScores:
        assert self.scores is not None
        return self.scores

    def origins(self, _view: Any, numbers: Any) -> list[str]:
        return proposal_origins(numbers)

    def cost(self, _image: Any) -> Cost:
        return Cost(0, 1)
