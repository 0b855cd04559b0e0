"""Which detection shows which track: the best assignment among pairs that are near each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import paired_iou
from yolo_cli.neighbours import Neighbours

__all__ = ["Pairs", "assigned", "near_pairs"]

Floats = NDArray[np.floating[Any]]
Places = NDArray[np.intp]
Pairs = tuple[Places, Places, Floats]
"""Places (P,) of one side, places (P,) of the other, and their IoU (P,)."""


def near_pairs(a: Floats, b: Floats, threshold: float) -> Pairs:
    """The pairs of ``a`` (A, 4) and ``b`` (B, 4) whose IoU is at least ``threshold``, above 0.

    In memory that goes with the number of pairs that overlap, not with A × B.
    """
    boxes = np.concatenate([a, b]).astype(float)
    close = Neighbours.of(boxes, np.zeros(len(boxes), int), threshold * (1 - 1e-6))
    parts = [_across(boxes, pairs, len(a), threshold) for pairs in close.pairs()]
    rows, columns = np.concatenate([part[0] for part in parts], axis=1)  # (P,) each
    return rows, columns, np.concatenate([part[1] for part in parts])


def _across(boxes: Floats, pairs: Places, split: int, threshold: float) -> tuple[Places, Floats]:
    """Of ``pairs`` (2, P) those with one box on either side of ``split`` that overlap enough; their IoU."""
    low, high = pairs[:, (pairs[0] < split) & (pairs[1] >= split)]  # (P,) each, low < high
    iou = paired_iou(boxes[low], boxes[high])  # (P,)
    near = iou >= threshold
    return np.stack([low[near], high[near] - split]), iou[near]


def assigned(rows: Places, columns: Places, similarity: Floats, threshold: float) -> tuple[Places, Places]:
    """One-to-one pairs (M,) and (M,) with the largest sum of similarity − ``threshold``.

    The candidates are ``rows`` (P,), ``columns`` (P,) and their ``similarity`` (P,), in [0, 1]; those below
    the threshold do not count.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    good = similarity >= threshold
    rows, row = np.unique(rows[good], return_inverse=True)
    columns, column = np.unique(columns[good], return_inverse=True)
    # Each row may have a column of its own in place of a pair. The solver takes a weight of 0 as none.
    alone = np.arange(len(rows))
    weight = np.concatenate([2 - similarity[good], np.full(len(rows), 2 - threshold)])
    places = np.concatenate([row, alone]), np.concatenate([column, alone + len(columns)])
    graph = csr_array((weight, places), shape=(len(rows), len(columns) + len(rows)))
    taken, by = min_weight_full_bipartite_matching(graph) if len(rows) else (alone, alone)
    paired = by < len(columns)
    return rows[taken[paired]], columns[by[paired]]
