"""Boxes as distances from a point to the four sides, each predicted as a distribution.

Generalised focal loss (Li et al., 2020): for each side the network gives one value for each of the distances
0, 1, 2, … strides. Their softmax is a distribution, and its mean is the distance; so a blurred edge can be
predicted as a wide distribution instead of one wrong number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["boxes_around", "mean_distances"]

Floats = NDArray[np.floating[Any]]


def mean_distances(raw: Floats) -> Floats:
    """The mean of each side's distribution, in strides.

    Args:
        raw: (N, 4 · bins), the values before the softmax; left, top, right, bottom, bins fastest.

    Returns:
        (N, 4): left, top, right and bottom, each from 0 to bins − 1.

    >>> mean_distances(np.log([[1, 1, 1, 3, 3, 1, 1, 1]])).tolist()  # two bins: 1 / 2, 3 / 4, 1 / 4, 1 / 2
    [[0.5, 0.75, 0.25, 0.5]]
    """
    bins = raw.reshape(-1, 4, raw.shape[1] // 4)  # (N, 4, bins)
    weight = np.exp(bins - bins.max(axis=2, keepdims=True))  # (N, 4, bins)
    mean: Floats = weight @ np.arange(bins.shape[2], dtype=raw.dtype) / weight.sum(axis=2)
    return mean


def boxes_around(point: Floats, distances: Floats) -> Floats:
    """The boxes (N, 4) xyxy whose sides have these distances (N, 4) from points (N, 2), all in one unit.

    >>> boxes_around(np.array([[10, 20]]), np.array([[1, 2, 3, 4]])).tolist()
    [[9, 18, 13, 24]]
    """
    return np.concatenate([point - distances[:, :2], point + distances[:, 2:]], axis=1)
