"""Fit anchors to boxes by k-means with the distance 1 - IoU, and measure how well anchors fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.anchors.sizes import MOST_ANCHORS
from yolo_cli.errors import DataError, UsageError

__all__ = ["anchor_figures", "best_possible_recall", "fit_anchors", "mean_iou"]

Floats = NDArray[np.floating[Any]]

_MOST_BOXES = 20_000  # larger sets are subsampled: seconds instead of minutes, three digits stay
_MOST_ROUNDS = 300


def mean_iou(wh: Floats, anchors: Floats) -> float:
    """Mean IoU of boxes (N, 2) with their best anchor of (K, 2), centres aligned.

    The figure of table 1 in Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017.
    NaN for no boxes.

    >>> mean_iou(np.array([[10.0, 10], [20, 10]]), np.array([[10.0, 10]]))
    0.75
    """
    return float(_iou(wh, anchors).max(axis=1).mean()) if len(wh) else float("nan")


def best_possible_recall(wh: Floats, anchors: Floats, iou: float = 0.5) -> float:
    """Fraction of boxes (N, 2) with an IoU of at least ``iou`` with some anchor (K, 2), centres aligned.

    The recall bound of a network that does not resize its anchors. NaN for no boxes.

    >>> best_possible_recall(np.array([[10.0, 10], [20, 10], [90, 10]]), np.array([[10.0, 10]]))
    0.6666666666666666
    """
    return float((_iou(wh, anchors).max(axis=1) >= iou).mean()) if len(wh) else float("nan")


def anchor_figures(wh: Floats, anchors: Floats) -> dict[str, float]:
    """`mean_iou` and `best_possible_recall`, by name, rounded to 6 digits."""
    figures = (mean_iou, best_possible_recall)
    return {figure.__name__: round(figure(wh, anchors), 6) for figure in figures}


def fit_anchors(wh: Floats, k: int, *, seed: int = 0, starts: int = 10) -> NDArray[np.float64]:
    """Fit ``k`` anchors to boxes by k-means with the distance 1 - IoU.

    Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017, section 2. A cluster's centre is the
    median of its widths and of its heights, which on every set at hand gave at least the mean IoU that means
    gave. Starts are drawn as in Arthur and Vassilvitskii, "k-means++", SODA 2007, with the same distance. The
    order of the boxes does not matter, and the same boxes and seed give the same anchors.

    Args:
        wh: widths and heights of boxes (N, 2) in pixels at the network's size, all above 0.
        k: number of anchors.
        seed: random seed of the starts.
        starts: number of starts; the result with the best mean IoU is returned.

    Returns:
        float64, (k, 2), sorted by area, smallest first.

    Raises:
        UsageError: if ``k`` or ``starts`` is below 1.
        DataError: if the boxes have fewer than ``k`` different sizes, or one is not above 0.
    """
    if not 1 <= k <= MOST_ANCHORS or starts < 1:
        raise UsageError(f"-k is {k}, but must be between 1 and {MOST_ANCHORS}, with at least one start")
    boxes = np.asarray(wh, float)  # (N, 2)
    if not (np.isfinite(boxes).all() and (boxes > 0).all()):
        raise DataError("anchors need boxes with widths and heights above 0; see what `yolo lint` lists")
    distinct = len(np.unique(boxes, axis=0))
    if distinct < k:
        raise DataError(f"the boxes have only {distinct} different sizes, too few for {k} anchors")
    boxes = boxes[np.lexsort(boxes.T)]  # (N, 2), sorted, so that the input's order does not matter
    rng = np.random.default_rng(seed)
    if len(boxes) > _MOST_BOXES:
        boxes = boxes[np.sort(rng.choice(len(boxes), _MOST_BOXES, replace=False))]  # (20000, 2)
    fits = [_refined(boxes, _start(boxes, k, rng)) for _ in range(starts)]
    best = max(fits, key=lambda anchors: mean_iou(boxes, anchors))  # (k, 2)
    return best[np.argsort(best.prod(axis=1), kind="stable")]


def _start(wh: NDArray[np.float64], k: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """``k`` of the boxes (N, 2), drawn with probability rising with the distance to earlier ones: (k, 2)."""
    chosen = [wh[rng.integers(len(wh))]]
    while len(chosen) < k:
        apart = 1 - _iou(wh, np.array(chosen)).max(axis=1)  # (N,)
        total = apart.sum()
        chosen.append(wh[rng.choice(len(wh), p=apart / total if total > 0 else None)])
    return np.array(chosen)


def _refined(wh: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """The best anchors (k, 2) of all rounds of k-means from a start (k, 2)."""
    anchors, best, score = start, start, -1.0
    owner: NDArray[np.intp] = np.full(len(wh), -1)  # (N,)
    for _ in range(_MOST_ROUNDS):
        overlap = _iou(wh, anchors)  # (N, k)
        now = float(overlap.max(axis=1).mean())
        if now > score:  # with medians, a round may be worse than the last
            best, score = anchors, now
        before, owner = owner, overlap.argmax(axis=1)  # (N,), (N,)
        if (before == owner).all():
            break
        anchors = np.array(
            [
                np.median(wh[owner == i], axis=0) if (owner == i).any() else anchors[i]
                for i in range(len(anchors))
            ]
        )  # (k, 2)
    return best


def _iou(wh: Floats, anchors: Floats) -> NDArray[np.float64]:
    """IoU (N, K) of boxes (N, 2) with anchors (K, 2), centres aligned."""
    both = np.minimum(wh[:, None, 0], anchors[:, 0]) * np.minimum(wh[:, None, 1], anchors[:, 1])  # (N, K)
    union = wh.prod(axis=1)[:, None] + anchors.prod(axis=1) - both  # (N, K)
    return np.asarray(both / union)
