"""The confusion matrix at one confidence threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.matching import Matches, greedy_match, gts_outside
from yolo_cli.evaluation.pairs import overlapping_pairs

__all__ = ["Confusion", "confusion_matrix"]

Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

_MOST = 2_000  # classes with a row: the matrix grows with their square


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Confusion matrix: how often objects of one class were detected as another.

    Attributes:
        names: K class names and "background"; of more than 2,000 classes, the most frequent 2,000 have rows
            of their own, and the others one.
        counts: (K + 1, K + 1): rows are annotated classes, columns detected ones. The last row counts false
            positives on the background, the last column missed ground-truth boxes; the corner is 0.
        confidence: confidence threshold.
        iou: IoU threshold of a match.
    """

    names: tuple[str, ...]
    counts: Integers
    confidence: float
    iou: float

    def to_json(self) -> dict[str, Any]:
        """The matrix as plain data."""
        return {
            "names": list(self.names),
            "counts": self.counts.tolist(),
            "confidence": self.confidence,
            "iou": self.iou,
        }


def confusion_matrix(matches: Matches, confidence: float, iou: float = 0.5) -> Confusion:
    """Match detections of at least ``confidence`` one to one with ground-truth boxes.

    First, detections are matched with ground-truth boxes of their own class by the protocol, so that the
    diagonal holds the true positives of precision and recall. Then the remaining ones, most confident first,
    are matched with the remaining ground truth of another class that they overlap most.

    Args:
        matches: the matched detections.
        confidence: confidence threshold.
        iou: the IoU threshold, one of ``matches.thresholds``.
    """
    gathered, kept = matches.evaluation_set, matches.above(confidence)
    ranking, made = kept.ranking, kept.assignment(iou)
    counted = ~gts_outside(gathered, matches.protocol.areas[0])  # (T,)
    free = counted.copy()  # (T,)
    free[made.ground_truth[made.hit]] = False
    left = np.flatnonzero(~made.hit & ~made.ignored)  # (E,)
    left = left[np.argsort(-ranking.confidence[left], kind="stable")]
    matched = np.where(made.hit, made.ground_truth, -1)  # (M,)
    matched[left] = _match_other_class(gathered, ranking.order[left], free, iou)
    evaluated = ~made.ignored  # (M,)
    names, row = _rows(gathered, ranking.class_id)
    found = row[ranking.class_id[evaluated]]  # (M,)
    counts = _counts(row[gathered.ground_truth.class_id], found, matched[evaluated], counted, len(names))
    return Confusion((*names, "background"), counts, confidence, iou)


def _rows(gathered: EvaluationSet, class_id: Integers) -> tuple[Sequence[str], Integers]:
    """The names of the rows, and the row of each class, (K,)."""
    names = gathered.class_names
    if len(names) <= _MOST:
        return names, np.arange(len(names))
    seen = np.bincount(np.append(gathered.ground_truth.class_id, class_id), minlength=len(names))  # (K,)
    kept = np.sort(np.argsort(-seen, kind="stable")[:_MOST])
    row = np.full(len(names), _MOST)
    row[kept] = np.arange(_MOST)
    return (*(names[i] for i in kept.tolist()), f"{len(names) - _MOST:,} other classes"), row


def _match_other_class(gathered: EvaluationSet, order: Integers, free: Bools, iou: float) -> Integers:
    """For each detection in ``order`` (E,), a ``free`` (T,) ground truth of another class, or -1."""
    pairs = overlapping_pairs(gathered, order, iou, any_class=True)
    other = (
        gathered.ground_truth.class_id[pairs.ground_truth] != gathered.found.class_id[order][pairs.found]
    )  # (N,)
    pairs = pairs[free[pairs.ground_truth] & other]
    pairs = pairs[np.lexsort((-pairs.overlap, pairs.found))]
    return greedy_match(pairs.found, pairs.ground_truth, np.zeros(len(free), bool), len(order))


def _counts(
    gt_class: Integers, class_id: Integers, matched: Integers, counted: Bools, classes: int
) -> Integers:
    """The matrix (K + 1, K + 1) of detections of ``class_id`` (M,) matched with ``matched`` (M,), or -1."""
    missed = counted.copy()  # (T,)
    missed[matched[matched >= 0]] = False
    counts = np.zeros((classes + 1, classes + 1), np.int64)  # (K + 1, K + 1)
    np.add.at(counts, (np.append(gt_class, classes)[matched], class_id), 1)  # -1 indexes background
    np.add.at(counts[:, classes], gt_class[missed], 1)
    return counts
