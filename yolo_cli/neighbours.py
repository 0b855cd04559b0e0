"""Pairs of boxes that may overlap by more than a threshold: only these are measured by suppression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIRS_AT_ONCE", "Neighbours", "near_pairs"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

# Pairs of boxes that are compared at once: few enough for their coordinates to stay in the processor's cache.
PAIRS_AT_ONCE = 1 << 15


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Boxes sorted by class and left edge, so that each is just before those that it can suppress.

    Attributes:
        order: (N,), indices of the boxes, sorted by class and left edge.
        y: (4, N), in that order: upper edge, lower edge, and their bounds by `_reach`.
        counts: (N,), number of boxes just after each that begin early enough to overlap it.
    """

    order: NDArray[np.intp]
    y: Floats
    counts: NDArray[np.intp]

    @classmethod
    def of(cls, boxes: Floats, classes: Integers, threshold: float) -> Neighbours:
        """Lay out ``boxes`` (N, 4) of ``classes`` (N,)."""
        low, high = _reach(boxes, threshold)  # (N, 2) each
        width = np.ptp(boxes[:, ::2]) if len(boxes) else 0.0
        lane = classes * max(2.0 * float(width), 1.0)  # (N,), far enough apart that no two classes meet
        left = boxes[:, 0] + lane  # (N,)
        order = np.argsort(left)  # (N,)
        after = np.arange(1, len(boxes) + 1)  # (N,)
        # To the right of its equals: rounding may make edges equal that are not.
        stop = np.searchsorted(left[order], (high[:, 0] + lane)[order], side="right")  # (N,)
        y = np.stack([boxes[:, 1], boxes[:, 3], low[:, 1], high[:, 1]])[:, order]  # (4, N)
        # A box whose edges are not in order may stop before it starts.
        return cls(order, y, np.maximum(stop - after, 0))

    @property
    def total(self) -> int:
        """Number of pairs that overlap enough along x."""
        return int(self.counts.sum())

    def pairs(self) -> Iterator[NDArray[np.intp]]:
        """Each pair that may overlap enough, once: indices (2, P), the lower one in the first row."""
        ends = self.counts.cumsum()  # (N,)
        cuts = np.searchsorted(ends, np.arange(PAIRS_AT_ONCE, self.total, PAIRS_AT_ONCE)).tolist()
        for start, stop in pairwise([0, *cuts, len(ends)]):
            yield self._pairs_of(np.arange(start, stop))

    def _pairs_of(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """The pairs (2, P) in which one of ``rows`` (R,), places in the order, comes first."""
        counts = self.counts[rows]  # (R,)
        before = np.repeat(rows, counts)  # (P,)
        # Row r owns the places r + 1, r + 2, … after it: count all pairs through, and shift each row's.
        after = np.arange(len(before)) + np.repeat(rows + 1 + counts - counts.cumsum(), counts)  # (P,)
        top, bottom, low, high = self.y  # (N,) each
        meet = (top[before] <= high[after]) & (bottom[before] >= low[after])  # (P,)
        before, after = before[meet], after[meet]
        meet = (top[after] <= high[before]) & (bottom[after] >= low[before])  # (P,)
        return np.sort(self.order[np.stack([before[meet], after[meet]])], axis=0)


def near_pairs(a: Floats, b: Floats, threshold: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices (P,) in ``a`` (R, 4) and in ``b`` (F, 4) of pairs whose IoU may be above ``threshold``."""
    low, high = _reach(a, threshold)  # (R, 2) each
    left, top, right, bottom = np.ascontiguousarray(b.T)  # (F,) each
    near = left <= high[:, :1]  # (R, F)
    near &= right >= low[:, :1]
    near &= top <= high[:, 1:]
    near &= bottom >= low[:, 1:]
    return np.divmod(np.flatnonzero(near), len(b))


def _reach(boxes: Floats, threshold: float) -> tuple[Floats, Floats]:
    """The lowest end and the highest beginning of a box that overlaps each of ``boxes`` (N, 4) enough.

    Both (N, 2), along x and y. An IoU above the threshold needs an overlap of more than that fraction of each
    side. The bounds are 1e-9 lower, and equality is enough, so that rounding loses no pair.
    """
    part = threshold * (1 - 1e-9) * (boxes[:, 2:] - boxes[:, :2])  # (N, 2)
    return boxes[:, :2] + part, boxes[:, 2:] - part
