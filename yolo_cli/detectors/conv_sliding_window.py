"""The convolutional sliding window: the classifier runs over the whole image at once.

OverFeat (Sermanet et al., "OverFeat: Integrated Recognition, Localization and Detection using Convolutional
Networks", ICLR 2014): with its dense layers as convolutions, a network without padding gives a map of scores,
and what neighbouring windows share is computed once. The scores are those of the sliding window, window for
window.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.regions import Cost
from yolo_cli.detectors.windows import Level
from yolo_cli.engines import Engine

__all__ = ["all_windows", "price_of_all"]


def all_windows(network: Engine, level: Level) -> NDArray[np.float32]:
    """Scores before softmax (N, classes) of the windows of one level, from one run over all of it."""
    [scores] = network.run(level.rgb[None])  # (1, rows, columns, classes)
    rows: NDArray[np.float32] = scores.reshape(-1, scores.shape[-1])
    return rows


def price_of_all(network: Engine, levels: Iterable[Level]) -> Cost:
    """A run of the network for each level, however many windows that is."""
    return Cost(sum(network.multiply_accumulates(level.rgb[None]) for level in levels), 0)
