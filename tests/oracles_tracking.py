"""Slow and obvious versions of what tracking does with arrays."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_assignment", "kalman"]

Floats = NDArray[np.floating[Any]]


def best_assignment(similarity: Floats, threshold: float) -> float:
    """The largest sum of similarity − threshold over one-to-one pairs, by trying all (A, B) ones."""
    rows, columns = similarity.shape
    places = [*range(columns), *[None] * rows]
    best = 0.0
    for chosen in set(permutations(places, rows)):
        pairs = [(row, column) for row, column in enumerate(chosen) if column is not None]
        if all(similarity[pair] >= threshold for pair in pairs):
            best = max(best, sum(similarity[pair] - threshold for pair in pairs))
    return best


def kalman(boxes: Floats, noise: tuple[float, float, float, float]) -> tuple[Floats, Floats]:
    """State (8,) and covariance (8, 8) of one object after ``boxes`` (T, 4), by matrices.

    Args:
        boxes: centre, width and height.
        noise: fractions of the size: of a measurement, place, velocity, and the velocity at the start.
    """
    measured, moved, accelerated, start = noise
    transition = np.eye(8)
    transition[[0, 1], [4, 5]] = 1
    look = np.eye(4, 8)
    state = np.concatenate([boxes[0], np.zeros(4)])
    size = boxes[0][[2, 3, 2, 3]]
    velocity = size * [1, 1, 0, 0]
    covariance = np.diag(np.concatenate([measured * size, start * velocity]) ** 2)
    for box in boxes[1:]:
        size = state[[2, 3, 2, 3]]
        process = np.concatenate([moved * size, accelerated * size * [1, 1, 0, 0]])
        state = transition @ state
        covariance = transition @ covariance @ transition.T + np.diag(process**2)
        total = look @ covariance @ look.T + np.diag((measured * box[[2, 3, 2, 3]]) ** 2)
        gain = covariance @ look.T @ np.linalg.inv(total)
        state = state + gain @ (box - look @ state)
        covariance = (np.eye(8) - gain @ look) @ covariance
    return state, covariance
