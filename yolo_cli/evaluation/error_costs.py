"""The gain in average precision if all errors of one type are fixed.

A wrong class or box is corrected; of several detections that would then match one ground truth, the most
confident is kept. Other wrong detections are removed. Missed ground-truth boxes are no longer counted. The
rules differ for a wrong class or box on a ground truth that another detection found:

- "tidecv", as in the published program: the detection that found the ground truth keeps it, and the error is
  removed. It is also removed if a more confident error of the other type is on the same ground truth.
- "replace": the error competes with that detection. If it is more confident, it is kept and the other is
  removed, as if the detector had made no error.

As in COCO, and unlike in tidecv, the mean is over the classes with ground truth; false positives of other
classes do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.average_precision import average_precision, hits_by_class
from yolo_cli.evaluation.protocol import Interpolation

__all__ = ["HIT", "KINDS", "TIDE_RULES", "Counted", "Kind", "TideRule", "error_costs"]

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

Kind = Literal["classification", "localisation", "both", "duplicate", "background", "missed"]
TideRule = Literal["tidecv", "replace"]

KINDS: tuple[Kind, ...] = ("classification", "localisation", "both", "duplicate", "background", "missed")
TIDE_RULES: tuple[TideRule, ...] = ("tidecv", "replace")
HIT = -1  # in addition to the indices into KINDS


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """N detections that are not ignored.

    Attributes:
        class_id: (N,).
        confidence: (N,).
        kind: (N,), an index into ``KINDS``, or ``HIT`` for a true positive.
        ground_truth: (N,), the ground truth that it found or should have found, or -1.
    """

    class_id: Integers
    confidence: Floats
    kind: Integers
    ground_truth: Integers

    def __getitem__(self, keep: Bools) -> Counted:
        return Counted(self.class_id[keep], self.confidence[keep], self.kind[keep], self.ground_truth[keep])


def error_costs(
    counted: Counted,
    ground_truths: Integers,
    missed: Integers,
    gt_class: Integers,
    interpolation: Interpolation,
    rule: TideRule,
) -> tuple[float | None, dict[str, float]]:
    """Average precision (None without ground-truth boxes), and the gain from fixing each error type.

    Args:
        counted: N detections.
        ground_truths: (K,), number of ground-truth boxes of each class.
        missed: (K,), number of them that were missed.
        gt_class: (T,), the class of each ground truth.
        interpolation: how the curve is averaged.
        rule: how an error on a ground truth that was found is fixed.
    """
    hits = counted.kind == HIT  # (N,)
    found = np.bincount(counted.class_id[hits], minlength=len(ground_truths))  # (K,)
    fixed: dict[str, tuple[Counted, Integers]] = {
        kind: (_fixed(counted, kind, gt_class, rule), ground_truths - (missed if kind == "missed" else 0))
        for kind in KINDS
    }
    whole = {"false_positive": (counted[hits], ground_truths), "false_negative": (counted, found)}
    if not ground_truths.any():
        return None, dict.fromkeys([*fixed, *whole], 0.0)
    score = partial(
        _mean_precision, classes=np.flatnonzero(ground_truths), interpolation=interpolation, rule=rule
    )
    base = score(counted, ground_truths)
    cost = {name: score(*better) - base for name, better in {**fixed, **whole}.items()}
    if rule == "tidecv":  # like tidecv: a negative cost is an artefact of the 101 points
        cost |= {kind: max(cost[kind], 0.0) for kind in KINDS}
    return base, cost


def _fixed(counted: Counted, kind: Kind, gt_class: Integers, rule: TideRule) -> Counted:
    """The detections with the errors of a type fixed."""
    number = KINDS.index(kind)
    if kind in ("classification", "localisation"):
        return _corrected(counted, number, gt_class, rule)
    return counted[counted.kind != number]


def _corrected(counted: Counted, kind: int, gt_class: Integers, rule: TideRule) -> Counted:
    """The detections with wrong classes or boxes corrected, one per ground truth."""
    hits, errors = counted.kind == HIT, counted.kind == kind  # (N,), (N,)
    if rule == "replace":
        competing = gone = hits | errors  # (N,)
    else:
        correctable = (counted.kind >= 0) & (counted.kind <= KINDS.index("localisation"))  # (N,)
        competing = correctable & ~np.isin(counted.ground_truth, counted.ground_truth[hits])  # (N,)
        gone = errors  # (N,)
    finders = np.flatnonzero(competing)  # (F,)
    finders = finders[np.argsort(-counted.confidence[finders], kind="stable")]
    first = finders[np.unique(counted.ground_truth[finders], return_index=True)[1]]  # (G,), one per object
    first = first[gone[first]]  # one with another error type is not corrected now
    keep = ~gone  # (N,)
    keep[first] = True
    new_class, new_kind = counted.class_id.copy(), counted.kind.copy()  # (N,), (N,)
    new_class[first], new_kind[first] = gt_class[counted.ground_truth[first]], HIT
    return Counted(new_class, counted.confidence, new_kind, counted.ground_truth)[keep]


def _mean_precision(
    counted: Counted,
    ground_truths: Integers,
    classes: Integers,
    interpolation: Interpolation,
    rule: TideRule,
) -> float:
    """The mean average precision over ``classes`` of detections in any order."""
    order = np.lexsort((-counted.confidence, counted.class_id))  # (N,)
    start = np.searchsorted(counted.class_id[order], np.arange(len(ground_truths) + 1))  # (K + 1,)
    hit = counted.kind[order] == HIT  # (N,)
    curves = hits_by_class(hit, np.ones(len(hit), bool), start)
    scores = []
    for k in classes.tolist():
        if ground_truths[k]:
            scores.append(average_precision(curves[k], int(ground_truths[k]), interpolation))
        elif start[k] < start[k + 1]:  # no ground truth left, but false positives
            scores.append(0.0)
        elif rule == "replace":  # tidecv leaves out a class without anything left
            scores.append(1.0)
    return float(np.mean(scores)) if scores else 1.0
