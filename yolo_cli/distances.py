"""Boxes as distances from a point to the four sides, each predicted as a distribution.

Generalised focal loss (Li et al., 2020): for each side the network gives one value for each of the distances
0, 1, 2, … strides. Their softmax is a distribution, and its mean is the distance; so a blurred edge can be
predicted as a wide distribution instead of one wrong number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["boxes_around", "mean_distances"]


def mean_distances(raw: Any, bins: int, xp: Any = np) -> Any:
    """The mean of each side's distribution, in strides.

    Args:
        raw: (…, 4 · bins), the values before the softmax; left, top, right, bottom, bins fastest.
        bins: number of values of each side.
        xp: the array library.

    Returns:
        (…, 4): left, top, right and bottom, each from 0 to bins − 1.

    >>> mean_distances(np.log([[1, 1, 1, 3, 3, 1, 1, 1]]), 2).tolist()  # 1 / 2, 3 / 4, 1 / 4, 1 / 2
    [[0.5, 0.75, 0.25, 0.5]]
    """
    sides = [raw[..., side * bins : (side + 1) * bins] for side in range(4)]
    return xp.concatenate([_mean(side, bins, xp) for side in sides], axis=-1)


def _mean(raw: Any, bins: int, xp: Any) -> Any:
    """The mean (…, 1) of a distribution over 0 to bins − 1, from the values (…, bins) before the softmax."""
    weight = xp.exp(raw - xp.max(raw, axis=-1, keepdims=True, initial=-np.inf))
    total = xp.sum(weight * np.arange(bins, dtype=np.float32), axis=-1, keepdims=True)
    return total / xp.sum(weight, axis=-1, keepdims=True)


def boxes_around(point: Any, distances: Any, xp: Any = np) -> Any:
    """The boxes (…, 4) xyxy whose sides have these distances (…, 4) from points (…, 2), all in one unit.

    >>> boxes_around(np.array([[10, 20]]), np.array([[1, 2, 3, 4]])).tolist()
    [[9, 18, 13, 24]]
    """
    return xp.concatenate([point - distances[..., :2], point + distances[..., 2:4]], axis=-1)
