"""The convolutional sliding window: the classifier runs over the whole image at once.

OverFeat (Sermanet et al., "OverFeat: Integrated Recognition, Localization and Detection using Convolutional
Networks", ICLR 2014): with its dense layers as convolutions, a network without padding gives a map of scores,
and work common to neighbouring windows is done once. The scores equal those of the sliding window.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.protocol import Cost
from yolo_cli.detectors.windows import Level, WindowScan
from yolo_cli.images import Image

__all__ = ["ConvSlidingWindow"]


class ConvSlidingWindow(WindowScan):
    """Runs the network once per level of the pyramid; a `RegionMethod`."""

    def logits(self, level: Level) -> NDArray[np.float32]:
        """Scores before softmax (N, classes) of the windows of one level, from one run over all of it."""
        [scores] = self.network.run(level.rgb[None])  # (1, rows, columns, classes)
        rows: NDArray[np.float32] = scores.reshape(-1, scores.shape[-1])
        return rows

    def cost(self, image: Image) -> Cost:
        """One run of the network per level."""
        whole = sum(self.network.multiply_accumulates(level.rgb[None]) for level in self.view(image).levels)
        return Cost(whole, 0)
