"""What kind of mistakes a detector makes, and what each kind costs.

After Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020. A detection
that is wrong at the overlap ``FOREGROUND`` has one reason, the first that holds of:

- *localisation*: its best overlap with a ground truth of its class lies from ``BACKGROUND`` to below
``FOREGROUND``;
- *classification*: it overlaps a ground truth of another class by at least ``FOREGROUND``;
- *duplicate*: it overlaps a ground truth of its class so much, but a more confident detection has that one;
- *background*: it overlaps no ground truth by as much as ``BACKGROUND``;
- *both*: the rest: it lies badly on a ground truth of another class.

The order is that of the authors' own program. A ground truth is *missed* if nothing found it and no
localisation or classification error lies on it. What a kind costs is what average precision at ``FOREGROUND``
gains once its mistakes alone are fixed: a class or a box is put right, of several detections that would then
find one ground truth the most confident stays; other wrong detections go; missed ground truths are no longer
asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.average_precision import average_precision, hits_by_class
from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.matching import Assignment, Ranking, assign, gts_outside, ranked
from yolo_cli.evaluation.pairs import Pairs, overlapping_pairs
from yolo_cli.evaluation.protocol import COCO, Interpolation, Protocol

__all__ = ["BACKGROUND", "FOREGROUND", "KINDS", "Diagnosis", "Kind", "diagnose"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

Kind = Literal["classification", "localisation", "both", "duplicate", "background", "missed"]

KINDS: tuple[Kind, ...] = ("classification", "localisation", "both", "duplicate", "background", "missed")
FOREGROUND = 0.5
BACKGROUND = 0.1

_HIT = -1  # beside the places in KINDS
_CLASSIFICATION, _LOCALISATION, _BOTH, _DUPLICATE, _BACKGROUND = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """The E wrong detections and the missed ground truths of an evaluation set.

    Attributes:
        found: (E,), places of the wrong detections in the evaluation set.
        kind: (E,), why each is wrong: a place in ``KINDS``, below 5.
        ground_truth: (E,), the ground truth that each should have found, or -1 for background.
        missed: (F,), places of the ground truths that were missed.
        map50: average precision at ``FOREGROUND`` as it is; None without ground truths.
        cost: for each of ``KINDS``, and for "false_positive" and "false_negative" as a whole, what fixing
            it alone adds to ``map50``.
    """

    found: Integers
    kind: Integers
    ground_truth: Integers
    missed: Integers
    map50: float | None
    cost: Mapping[str, float]

    def of(self, kind: Kind) -> Integers:
        """Places in the evaluation set of the mistakes of a kind: of detections, or of missed objects."""
        if kind == "missed":
            return self.missed
        places: Integers = self.found[self.kind == KINDS.index(kind)]
        return places

    def worst_images(self, gathered: EvaluationSet, kind: Kind, most: int = 12) -> list[int]:
        """The places of at most so many images with the gravest mistakes of a kind, the worst first.

        Wrong detections weigh as much as their confidence, missed ground truths 1 each.
        """
        places = self.of(kind)
        missed = kind == "missed"
        image = (gathered.gt_image if missed else gathered.found_image)[places]  # (N,)
        gravity = np.ones(len(places)) if missed else gathered.found.confidence[places]  # (N,)
        total = np.bincount(image, gravity, minlength=len(gathered.images))  # (P,)
        worst = np.argsort(-total, kind="stable")[:most]
        return [int(place) for place in worst if total[place] > 0]

    def to_json(self) -> dict[str, Any]:
        """Counts and costs as plain data."""
        kinds = {kind: {"count": len(self.of(kind)), "cost": self.cost[kind]} for kind in KINDS}
        whole = {name: self.cost[name] for name in ("false_positive", "false_negative")}
        return {"map50": self.map50, "kinds": kinds, "cost": whole}


def diagnose(gathered: EvaluationSet, protocol: Protocol = COCO) -> Diagnosis:
    """Name every mistake and price every kind.

    Costs are over all detections, as average precision is. Counts of a detector that runs at a higher
    confidence come from ``diagnose(gathered.above(confidence))``.
    """
    ranking = ranked(gathered, protocol.max_detections)
    made = assign(gathered, ranking, protocol, FOREGROUND)
    ignored = gts_outside(gathered, protocol.areas[0])  # (T,)
    wrong = np.flatnonzero(~made.hit & ~made.ignored)  # (E,)
    kind, ground_truth = _reasons(gathered, ranking, wrong, ignored)
    good = np.concatenate(
        [made.ground_truth[made.hit], ground_truth[kind <= _LOCALISATION]]
    )  # ground truths found, or nearly
    missed = np.flatnonzero((np.bincount(good, minlength=len(ignored)) == 0) & ~ignored)  # (F,)
    judged = _judged(ranking, made, wrong, kind, ground_truth)
    ground_truths = np.bincount(
        gathered.ground_truth.class_id[~ignored], minlength=len(gathered.class_names)
    )  # (K,)
    map50, cost = _costs(
        judged, ground_truths, gathered.ground_truth.class_id, missed, protocol.interpolation
    )
    return Diagnosis(ranking.order[wrong], kind, ground_truth, missed, map50, cost)


def _reasons(
    gathered: EvaluationSet, ranking: Ranking, wrong: Integers, ignored: Bools
) -> tuple[Integers, Integers]:
    """Why each of E wrong detections is wrong (E,), and the object that it should have found (E,), or -1."""
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
    # Of equal places the last written stays: the greatest overlap.
    overlap[by_overlap.found], ground_truth[by_overlap.found] = by_overlap.overlap, by_overlap.ground_truth
    return overlap, ground_truth


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """N detections that count; ``kind`` is ``_HIT`` where they are right."""

    class_id: Integers
    confidence: Floats
    kind: Integers
    ground_truth: Integers

    def __getitem__(self, keep: Bools) -> _Judged:
        return _Judged(self.class_id[keep], self.confidence[keep], self.kind[keep], self.ground_truth[keep])


def _judged(
    ranking: Ranking, made: Assignment, wrong: Integers, kind: Integers, ground_truth: Integers
) -> _Judged:
    """The detections that count, each with its kind and ground truth."""
    every_kind, every_gt = np.full(len(ranking), _HIT), made.ground_truth.copy()  # (M,), (M,)
    every_kind[wrong], every_gt[wrong] = kind, ground_truth
    return _Judged(ranking.class_id, ranking.confidence, every_kind, every_gt)[~made.ignored]


def _costs(
    judged: _Judged,
    ground_truths: Integers,
    gt_class: Integers,
    missed: Integers,
    interpolation: Interpolation,
) -> tuple[float | None, dict[str, float]]:
    """Average precision as it is, and what fixing each kind of mistake adds.

    Args:
        judged: N detections.
        ground_truths: (K,), how many ground truths of each class count.
        gt_class: (T,), the class of each ground truth.
        missed: (F,), places of ground truths.
        interpolation: how a curve becomes one figure.
    """
    missed_gts = np.bincount(gt_class[missed], minlength=len(ground_truths))  # (K,)
    hits = judged.kind == _HIT  # (N,)
    fixed = {
        "classification": (_corrected(judged, _CLASSIFICATION, gt_class), ground_truths),
        "localisation": (_corrected(judged, _LOCALISATION, gt_class), ground_truths),
        "both": (judged[judged.kind != _BOTH], ground_truths),
        "duplicate": (judged[judged.kind != _DUPLICATE], ground_truths),
        "background": (judged[judged.kind != _BACKGROUND], ground_truths),
        "missed": (judged, ground_truths - missed_gts),
        "false_positive": (judged[hits], ground_truths),
        "false_negative": (judged, np.bincount(judged.class_id[hits], minlength=len(ground_truths))),
    }
    if not ground_truths.any():
        return None, dict.fromkeys(fixed, 0.0)
    score = partial(_mean_score, classes=np.flatnonzero(ground_truths), interpolation=interpolation)
    base = score(judged, ground_truths)
    return base, {name: score(*better) - base for name, better in fixed.items()}


def _corrected(judged: _Judged, kind: int, gt_class: Integers) -> _Judged:
    """The detections once all mistakes of a kind are put right; of several on one object, the first."""
    finders = np.flatnonzero((judged.kind == _HIT) | (judged.kind == kind))  # (F,)
    finders = finders[np.argsort(-judged.confidence[finders], kind="stable")]
    first = finders[np.unique(judged.ground_truth[finders], return_index=True)[1]]  # (ground truths found,)
    keep = np.ones(len(judged.kind), bool)  # (N,)
    keep[finders], keep[first] = False, True
    new_class, new_kind = judged.class_id.copy(), judged.kind.copy()  # (N,), (N,)
    new_class[first], new_kind[first] = gt_class[judged.ground_truth[first]], _HIT
    return _Judged(new_class, judged.confidence, new_kind, judged.ground_truth)[keep]


def _mean_score(
    judged: _Judged, ground_truths: Integers, classes: Integers, interpolation: Interpolation
) -> float:
    """The mean average precision over ``classes`` of detections in any order."""
    order = np.lexsort((-judged.confidence, judged.class_id))  # (N,)
    start = np.searchsorted(judged.class_id[order], np.arange(len(ground_truths) + 1))  # (K + 1,)
    hit = judged.kind[order] == _HIT  # (N,)
    curves = hits_by_class(hit, np.ones(len(hit), bool), start)
    # Where fixing left no ground truth, all is well unless something false is left.
    scores = [
        average_precision(curves[k], int(ground_truths[k]), interpolation)
        if ground_truths[k]
        else float(start[k] == start[k + 1])
        for k in classes.tolist()
    ]
    return float(np.mean(scores))
