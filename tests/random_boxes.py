"""Boxes as a network that has hardly learned gives them: many around each object."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def jittered_boxes(
    rng: np.random.Generator, objects: int, each: int, classes: int
) -> tuple[Floats, Floats, NDArray[Any]]:
    """Boxes (N, 4) in 512 x 512 pixels, confidences (N,) and class ids (N,): ``each`` around every object.

    Centres are off by a tenth of the size and sizes by a tenth, in standard deviations; class and confidence
    are drawn for each box.
    """
    count = objects * each
    centre = np.repeat(rng.uniform(0, 512, (objects, 2)), each, axis=0)  # (N, 2)
    size = np.repeat(rng.uniform(16, 120, (objects, 2)), each, axis=0)  # (N, 2)
    centre += rng.normal(0, 0.1, (count, 2)) * size
    size *= np.exp(rng.normal(0, 0.1, (count, 2)))
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1).astype(np.float32)
    return xyxy, rng.uniform(0.001, 1, count).astype(np.float32), rng.integers(0, classes, count)
