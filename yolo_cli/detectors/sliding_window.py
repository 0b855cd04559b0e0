"""The sliding window: the classifier looks at every window on its own.

The oldest way to make a detector of a classifier (Viola and Jones, 2001; Dalal and Triggs, 2005).
Neighbouring windows share most of their pixels, and the network sees those again for each.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detectors.regions import Cost
from yolo_cli.detectors.windows import WINDOW, Level
from yolo_cli.engines import Engine

__all__ = ["each_window", "price_of_each"]


def each_window(network: Engine, level: Level) -> NDArray[np.float32]:
    """Scores before softmax (N, classes) of the windows of one level, each crop by itself."""
    rows = [network.run(crops)[0][:, 0, 0] for crops in level.crops()]  # each (columns, classes)
    return np.concatenate(rows)


def price_of_each(network: Engine, _levels: Iterable[Level]) -> Cost:
    """A run of the network for each window."""
    return Cost(0, network.multiply_accumulates(np.zeros((1, WINDOW, WINDOW, 3), np.uint8)))
