"""Which class was taken for which, at one confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.matching import assign, gts_outside, ranked, take_free
from yolo_cli.evaluation.pairs import overlapping_pairs
from yolo_cli.evaluation.protocol import COCO, Protocol

__all__ = ["Confusion", "confusion_matrix"]

Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How often a ground truth of one class was found as another.

    Attributes:
        names: K class names and "background".
        counts: (K + 1, K + 1): rows are what is there, columns what was found. The last row holds detections
            of nothing, the last column ground truths that nothing found; the corner is 0.
        confidence: detections below it were dropped.
        iou: the overlap that counts as found.
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


def confusion_matrix(
    gathered: EvaluationSet, confidence: float, iou: float = 0.5, protocol: Protocol = COCO
) -> Confusion:
    """Hold detections of at least ``confidence`` against ground truths, one against one.

    First, detections find ground truths of their own class by the rules of the protocol, so that the diagonal
    holds the hits that precision and recall count. Then those left over, the most confident first, take the
    ground truth of another class that is left over and that they overlap most.
    """
    kept = gathered.above(confidence)
    ranking = ranked(kept, protocol.max_detections)
    made = assign(kept, ranking, protocol, iou)
    counted = ~gts_outside(kept, protocol.areas[0])  # (T,)
    free = counted.copy()  # (T,)
    free[made.ground_truth[made.hit]] = False
    left = np.flatnonzero(~made.hit & ~made.ignored)  # (E,)
    left = left[np.argsort(-ranking.confidence[left], kind="stable")]
    taken = np.where(made.hit, made.ground_truth, -1)  # (M,)
    taken[left] = _take_other_class(kept, ranking.order[left], free, iou)
    judged = ~made.ignored  # (M,)
    counts = _counts(kept, ranking.class_id[judged], taken[judged], counted)
    return Confusion((*kept.class_names, "background"), counts, confidence, iou)


def _take_other_class(gathered: EvaluationSet, order: Integers, free: Bools, iou: float) -> Integers:
    """For each detection in ``order`` (E,), the ``free`` (T,) object of another class that it took, or -1."""
    pairs = overlapping_pairs(gathered, order, iou, any_class=True)
    other = (
        gathered.ground_truth.class_id[pairs.ground_truth] != gathered.found.class_id[order][pairs.found]
    )  # (N,)
    pairs = pairs[free[pairs.ground_truth] & other]
    pairs = pairs[np.lexsort((-pairs.overlap, pairs.found))]
    return take_free(pairs.found, pairs.ground_truth, np.zeros(len(free), bool), len(order))


def _counts(gathered: EvaluationSet, class_id: Integers, taken: Integers, counted: Bools) -> Integers:
    """The matrix (K + 1, K + 1) of detections of ``class_id`` (M,) that took ``taken`` (M,), or -1."""
    classes = len(gathered.class_names)
    gt_class = np.append(gathered.ground_truth.class_id, classes)  # (T + 1,); -1 picks background, at the end
    missed = counted.copy()  # (T,)
    missed[taken[taken >= 0]] = False
    counts = np.zeros((classes + 1, classes + 1), np.int64)  # (K + 1, K + 1)
    np.add.at(counts, (gt_class[taken], class_id), 1)
    np.add.at(counts[:, classes], gathered.ground_truth.class_id[missed], 1)
    return counts
