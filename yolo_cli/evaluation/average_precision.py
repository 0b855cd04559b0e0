"""Average precision and recall from matched detections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.matching import Matches
from yolo_cli.evaluation.protocol import GRID, Interpolation

__all__ = [
    "COCO_FIGURES",
    "Averages",
    "average_precision",
    "averages",
    "class_mean",
    "coco_figures",
    "hits_by_class",
    "recall_fraction",
]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

_RECALLS_101 = np.linspace(0.0, 1.0, 101)  # (101,), with the rounding of pycocotools
_RECALLS_11 = np.arange(11) / 10  # (11,), each the float nearest to its tenth
_LIMITS = (1, 10, 100)  # COCO's AR: maximum detections of a class per image

COCO_FIGURES = (
    "AP", "AP50", "AP75", "APsmall", "APmedium", "APlarge",
    "AR1", "AR10", "AR100", "ARsmall", "ARmedium", "ARlarge",
)  # fmt: skip
"""The names of COCO's twelve figures, in the order of pycocotools."""


@dataclass(frozen=True, slots=True, eq=False)
class Averages:
    """Average precision and recall for A ranges of sizes, T IoU thresholds and K classes.

    Attributes:
        thresholds: the T IoU thresholds, ascending.
        precision: (A, T, K), average precision; NaN for a class without ground-truth boxes in the range.
        recall: (A, T, K), maximum recall; NaN likewise.
        limited_recall: (L, T, K), the same in the first range with at most 1, 10 and 100 detections of a
            class per image.
        ground_truths: (A, K), number of ground-truth boxes that are not ignored.
    """

    thresholds: tuple[float, ...]
    precision: Floats
    recall: Floats
    limited_recall: Floats
    ground_truths: Integers

    def at(self, iou: float) -> int:
        """The index of an IoU threshold in ``thresholds``."""
        return int(np.abs(np.array(self.thresholds) - iou).argmin())

    @property
    def grid(self) -> list[int]:
        """The indices of COCO's ten IoU thresholds in ``thresholds``."""
        return [self.at(iou) for iou in GRID]


def averages(matches: Matches) -> Averages:
    """Average precision and recall of every class, at every IoU threshold, in every range of sizes."""
    interpolation = matches.protocol.interpolation
    shape = (*matches.hit.shape[:2], len(matches.ranking.start) - 1)  # (A, T, K)
    precision, recall = np.full(shape, np.nan), np.full(shape, np.nan)
    for a, t in np.ndindex(shape[:2]):
        hit, kept = matches.hit[a, t], ~matches.ignored[a, t]  # (M,), (M,)
        curves = hits_by_class(hit, kept, matches.ranking.start)
        for k in np.flatnonzero(matches.ground_truths[a]):
            precision[a, t, k] = average_precision(curves[k], int(matches.ground_truths[a, k]), interpolation)
            recall[a, t, k] = len(curves[k]) / matches.ground_truths[a, k]
    return Averages(matches.thresholds, precision, recall, _limited_recall(matches), matches.ground_truths)


def average_precision(counted_at_hit: Integers, ground_truths: int, interpolation: Interpolation) -> float:
    """Average precision of one class.

    Precision rises only at true positives, so they alone determine the curve.

    Args:
        counted_at_hit: (N,), ascending: number of detections, ignored ones excluded, down to each true
            positive.
        ground_truths: number of ground-truth boxes, at least 1.
        interpolation: how the curve is averaged.

    >>> average_precision(np.array([1, 3]), ground_truths=2, interpolation="area under curve")
    0.8333333333333333
    """
    hits = np.arange(1, len(counted_at_hit) + 1)  # (N,)
    precision = hits / counted_at_hit  # (N,)
    best_beyond = np.maximum.accumulate(precision[::-1])[::-1]  # (N,)
    fraction = recall_fraction(hits / ground_truths, interpolation)  # (N,)
    return float(best_beyond @ np.diff(fraction, prepend=0.0))


def recall_fraction(recall: Floats, interpolation: Interpolation) -> Floats:
    """The fraction (…) of the recall axis at or below each of ``recall`` (…).

    The three interpolations differ only in this: they weigh the curve by 101 points, by 11, or by length.
    """
    if interpolation == "area under curve":
        return recall
    points = _RECALLS_101 if interpolation == "101 points" else _RECALLS_11
    fraction: Floats = np.searchsorted(points, recall, side="right") / len(points)  # (…)
    return fraction


def class_mean(figures: Floats) -> float | None:
    """The mean of ``figures`` (…) without NaNs; None if all are NaN."""
    known = figures[~np.isnan(figures)]
    return float(known.mean()) if known.size else None


def coco_figures(figures: Averages) -> Mapping[str, float | None]:
    """COCO's twelve figures, in the order of pycocotools; None without ground-truth boxes.

    "small", "medium" and "large" are the second to fourth range of sizes of the protocol.
    """
    ten = figures.grid
    precision, recall = figures.precision[:, ten], figures.recall[:, ten]  # (A, 10, K), (A, 10, K)
    limited = figures.limited_recall[:, ten]  # (3, 10, K)
    values = (
        precision[0],
        figures.precision[0, figures.at(0.5)],
        figures.precision[0, figures.at(0.75)],
        *precision[1:4],
        *limited,
        *recall[1:4],
    )
    return {name: class_mean(value) for name, value in zip(COCO_FIGURES, values, strict=True)}


def hits_by_class(hit: Bools, kept: Bools, start: Integers) -> list[Integers]:
    """For each of K classes (Nₖ,): number of kept detections of the class down to each true positive.

    Args:
        hit: (M,), true positives, by class and descending confidence.
        kept: (M,), detections that are not ignored.
        start: (K + 1,), where each class begins.
    """
    counted = np.append(0, np.cumsum(kept))  # (M + 1,)
    at = np.flatnonzero(hit)  # (H,)
    cuts = np.searchsorted(at, start)  # (K + 1,)
    return [
        counted[at[a:b] + 1] - counted[first]
        for a, b, first in zip(cuts[:-1], cuts[1:], start[:-1], strict=True)
    ]


def _limited_recall(matches: Matches) -> Floats:
    """(L, T, K): recall in the first range of sizes with at most 1, 10 and 100 detections."""
    classes = matches.ground_truths.shape[1]
    limited = np.full((len(_LIMITS), len(matches.thresholds), classes), np.nan)
    counted = matches.ground_truths[0] > 0  # (K,)
    for m, t in np.ndindex(limited.shape[:2]):
        right = matches.hit[0, t] & (matches.ranking.rank < _LIMITS[m])  # (M,)
        found = np.bincount(matches.ranking.class_id[right], minlength=classes)  # (K,)
        limited[m, t, counted] = found[counted] / matches.ground_truths[0, counted]
    return limited
