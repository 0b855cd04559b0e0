"""Error types and their costs.

After Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020. A detection
that is wrong at the IoU ``FOREGROUND`` has one kind, the first that applies:

- *localisation*: its greatest IoU with a ground truth of its class is from ``BACKGROUND`` to below
  ``FOREGROUND``;
- *classification*: its IoU with a ground truth of another class is at least ``FOREGROUND``;
- *duplicate*: so is its IoU with a ground truth of its class, but a more confident detection matches that
  one;
- *background*: its IoU with every ground truth is below ``BACKGROUND``;
- *both*: the rest: badly localised on a ground truth of another class.

The order is that of the authors' program, tidecv. A ground truth is *missed* if nothing found it and it has
no localisation or classification error. The cost of a type is the gain in average precision at ``FOREGROUND``
if only its errors are fixed, by one of the two rules of :mod:`yolo_cli.evaluation.error_costs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.error_costs import HIT, KINDS, Counted, Kind, TideRule, error_costs
from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.matching import Assignment, Matches, Ranking, gts_outside
from yolo_cli.evaluation.pairs import Pairs, overlapping_pairs

__all__ = ["BACKGROUND", "FOREGROUND", "KINDS", "Diagnosis", "Kind", "TideRule", "diagnose"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

FOREGROUND = 0.5
BACKGROUND = 0.1

_CLASSIFICATION, _LOCALISATION, _BOTH, _DUPLICATE, _BACKGROUND = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """The E wrong detections and the missed ground-truth boxes of an evaluation set.

    Attributes:
        found: (E,), indices of the wrong detections in the evaluation set.
        kind: (E,), the error type of each: an index into ``KINDS``, below 5.
        ground_truth: (E,), the ground truth that each should have found, or -1 for background.
        missed: (F,), indices of the missed ground-truth boxes.
        map50: average precision at ``FOREGROUND`` before fixing; None without ground-truth boxes.
        cost: for each of ``KINDS``, and for "false_positive" and "false_negative" as a whole, the gain in
            ``map50`` from fixing it alone.
        rule: the rule of fixing.
    """

    found: Integers
    kind: Integers
    ground_truth: Integers
    missed: Integers
    map50: float | None
    cost: Mapping[str, float]
    rule: TideRule

    def of(self, kind: Kind) -> Integers:
        """Indices of the errors of a type in the evaluation set: detections, or missed ground-truth boxes."""
        if kind == "missed":
            return self.missed
        places: Integers = self.found[self.kind == KINDS.index(kind)]
        return places

    def to_json(self) -> dict[str, Any]:
        """Counts and costs as plain data."""
        kinds = {kind: {"count": len(self.of(kind)), "cost": self.cost[kind]} for kind in KINDS}
        whole = {name: self.cost[name] for name in ("false_positive", "false_negative")}
        return {"map50": self.map50, "rule": self.rule, "kinds": kinds, "cost": whole}


def diagnose(matches: Matches, rule: TideRule = "tidecv") -> Diagnosis:
    """Classify every error, and compute the cost of every type.

    Costs are over all detections, as average precision is. Counts of a detector that runs at a higher
    confidence come from ``diagnose(matches.above(confidence))``.

    Args:
        matches: the matched detections.
        rule: how an error on a ground truth that another detection found is fixed.
    """
    gathered, ranking = matches.evaluation_set, matches.ranking
    made = matches.assignment(FOREGROUND)
    ignored = gts_outside(gathered, matches.protocol.areas[0])  # (T,)
    wrong = np.flatnonzero(~made.hit & ~made.ignored)  # (E,)
    kind, ground_truth = _reasons(gathered, ranking, wrong, ignored)
    found_or_nearly = np.concatenate([made.ground_truth[made.hit], ground_truth[kind <= _LOCALISATION]])
    missed = np.flatnonzero((np.bincount(found_or_nearly, minlength=len(ignored)) == 0) & ~ignored)  # (F,)
    counted = _counted(ranking, made, wrong, kind, ground_truth)
    gt_class, classes = gathered.ground_truth.class_id, len(gathered.class_names)
    ground_truths = np.bincount(gt_class[~ignored], minlength=classes)  # (K,)
    missed_gts = np.bincount(gt_class[missed], minlength=classes)  # (K,)
    map50, cost = error_costs(
        counted, ground_truths, missed_gts, gt_class, matches.protocol.interpolation, rule
    )
    return Diagnosis(ranking.order[wrong], kind, ground_truth, missed, map50, cost, rule)


def _counted(
    ranking: Ranking, made: Assignment, wrong: Integers, kind: Integers, ground_truth: Integers
) -> Counted:
    """The detections that are not ignored, each with its error type and ground truth."""
    every_kind, every_gt = np.full(len(ranking), HIT), made.ground_truth.copy()  # (M,), (M,)
    every_kind[wrong], every_gt[wrong] = kind, ground_truth
    return Counted(ranking.class_id, ranking.confidence, every_kind, every_gt)[~made.ignored]


def _reasons(
    gathered: EvaluationSet, ranking: Ranking, wrong: Integers, ignored: Bools
) -> tuple[Integers, Integers]:
    """The type (E,) of each of E errors, and the object (E,) that it should have found, or -1."""
    pairs = overlapping_pairs(gathered, ranking.order[wrong], BACKGROUND, any_class=True)
    pairs = pairs[~ignored[pairs.ground_truth]]
    own = gathered.ground_truth.class_id[pairs.ground_truth] == ranking.class_id[wrong][pairs.found]  # (N,)
    overlap, ground_truth = _closest(pairs[own], len(wrong))  # (E,), (E,): of the same class
    other_overlap, other_gt = _closest(pairs[~own], len(wrong))  # (E,), (E,): of any other
    tests = [
        (overlap >= BACKGROUND) & (overlap < FOREGROUND),
        other_overlap >= FOREGROUND,
        overlap >= FOREGROUND,
        other_overlap < BACKGROUND,
    ]
    kind = np.select(tests, [_LOCALISATION, _CLASSIFICATION, _DUPLICATE, _BACKGROUND], _BOTH)  # (E,)
    own_matters = (kind == _LOCALISATION) | (kind == _DUPLICATE)  # (E,)
    return kind, np.where(own_matters, ground_truth, other_gt)


def _closest(pairs: Pairs, count: int) -> tuple[Floats, Integers]:
    """For each of ``count`` detections its greatest overlap (E,) and the ground truth (E,); else 0 and -1."""
    by_overlap = pairs[np.argsort(pairs.overlap, kind="stable")]
    overlap, ground_truth = np.zeros(count), np.full(count, -1, np.int64)  # (E,), (E,)
    # Of equal indices, the last write wins: the greatest overlap.
    overlap[by_overlap.found], ground_truth[by_overlap.found] = by_overlap.overlap, by_overlap.ground_truth
    return overlap, ground_truth
