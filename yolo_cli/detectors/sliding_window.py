"""The sliding window: the classifier runs on every window separately.

The oldest way to turn a classifier into a detector (Viola and Jones, 2001; Dalal and Triggs, 2005).
Neighbouring windows have most pixels in common, which the network processes repeatedly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.windows import WINDOW, Level, WindowScan
from yolo_cli.images import Image

__all__ = ["SlidingWindow"]


class SlidingWindow(WindowScan):
    """Runs the network once per window; a `RegionMethod`."""

    def logits(self, level: Level) -> NDArray[np.float32]:
        """Scores before softmax (N, classes) of the windows of one level, from one crop each."""
        rows = [self.network.run(crops)[0][:, 0, 0] for crops in level.crops()]  # each (columns, classes)
        return np.concatenate(rows)

    def cost(self, _image: Image) -> Cost:
        """One run of the network per window."""
        return Cost(0, self.network.multiply_accumulates(np.zeros((1, WINDOW, WINDOW, 3), np.uint8)))
