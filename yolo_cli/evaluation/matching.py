"""Which detections are right: each is held against the ground truth of its image and class.

Detections choose in order of falling confidence (Everingham et al., "The Pascal Visual Object Classes
Challenge", IJCV 2010; Lin et al., "Microsoft COCO", ECCV 2014). Choosing one after the other is slow in
NumPy, so all images, and of each image all detections that no earlier one can get in the way of, choose
at once; :mod:`tests.oracles_evaluation` does it one after the other and must come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.pairs import Pairs, overlapping_pairs
from yolo_cli.evaluation.protocol import AreaRange, Protocol

__all__ = ["Assignment", "Matches", "Ranking", "assign", "gts_outside", "match", "ranked", "take_free"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

_CERTAIN = 1 - 1e-10  # a threshold of 1 asks for this, so that rounding cannot forbid an exact hit


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The M detections that are judged: by class, then falling confidence, then image, then own order.

    Attributes:
        order: (M,), places of the detections in the evaluation set.
        class_id: (M,), rising.
        confidence: (M,), falling within each class.
        image: (M,), place of the image.
        rank: (M,), 0 for the first of its class on its image.
        start: (K + 1,), where each class begins.
    """

    order: Integers
    class_id: Integers
    confidence: Floats
    image: Integers
    rank: Integers
    start: Integers

    def __len__(self) -> int:
        return len(self.order)


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """What became of M ranked detections at one overlap and in one range of sizes.

    Attributes:
        ground_truth: (M,), the ground truth that each was held against and took, or -1.
        hit: (M,), right: took a ground truth that counts.
        ignored: (M,), neither right nor wrong. What is neither ``hit`` nor ``ignored`` is false.
    """

    ground_truth: Integers
    hit: Bools
    ignored: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """What became of M ranked detections at T overlaps and in A ranges of sizes.

    Attributes:
        ranking: which detections.
        thresholds: the T overlaps, rising.
        hit: (A, T, M), right.
        ignored: (A, T, M), neither right nor wrong.
        ground_truths: (A, K), how many ground truths of each class count.
    """

    ranking: Ranking
    thresholds: tuple[float, ...]
    hit: Bools
    ignored: Bools
    ground_truths: Integers


def ranked(gathered: EvaluationSet, max_detections: int | None) -> Ranking:
    """The order in which detections choose, with at most ``max_detections`` of a class on an image."""
    found, classes = gathered.found, len(gathered.class_names)
    order = np.lexsort((-found.confidence, found.class_id))  # (D,); stable, so ties stay in order of image
    group = gathered.found_image[order].astype(np.int64) * classes + found.class_id[order]  # (D,)
    rank = _place_in_group(group)  # (D,)
    if max_detections is not None:
        kept = rank < max_detections
        order, rank = order[kept], rank[kept]
    class_id = found.class_id[order]  # (M,)
    start = np.searchsorted(class_id, np.arange(classes + 1))  # (K + 1,)
    return Ranking(order, class_id, found.confidence[order], gathered.found_image[order], rank, start)


def match(gathered: EvaluationSet, protocol: Protocol) -> Matches:
    """Judge every detection at every overlap and in every range of sizes of the protocol."""
    ranking = ranked(gathered, protocol.max_detections)
    thresholds = protocol.thresholds
    pairs = overlapping_pairs(gathered, ranking.order, min(*thresholds, _CERTAIN))
    shape = (len(protocol.areas), len(thresholds), len(ranking))  # (A, T, M)
    hit, ignored = np.zeros(shape, bool), np.zeros(shape, bool)
    ground_truths = np.zeros((len(protocol.areas), len(gathered.class_names)), np.int64)  # (A, K)
    own_area = gathered.found_wh[ranking.order].prod(axis=1)  # (M,)
    for a, sizes in enumerate(protocol.areas):
        outside = gts_outside(gathered, sizes)  # (T,)
        ground_truths[a] = np.bincount(
            gathered.ground_truth.class_id[~outside], minlength=ground_truths.shape[1]
        )
        preferred = _by_preference(gathered, pairs, outside, protocol)
        unsized = (own_area < sizes.low) | (own_area > sizes.high)  # (M,)
        for t, threshold in enumerate(thresholds):
            made = _assign(preferred, threshold, outside, gathered, protocol, unsized)
            hit[a, t], ignored[a, t] = made.hit, made.ignored
    return Matches(ranking, thresholds, hit, ignored, ground_truths)


def assign(gathered: EvaluationSet, ranking: Ranking, protocol: Protocol, iou: float) -> Assignment:
    """Judge ranked detections at one overlap, all sizes together."""
    outside = gts_outside(gathered, protocol.areas[0])  # (T,)
    pairs = overlapping_pairs(gathered, ranking.order, min(iou, _CERTAIN))
    unsized = np.zeros(len(ranking), bool)  # (M,), the first range holds all sizes
    return _assign(
        _by_preference(gathered, pairs, outside, protocol), iou, outside, gathered, protocol, unsized
    )


def take_free(found: Integers, ground_truth: Integers, reusable: Bools, count: int) -> Integers:
    """Let detections, the first first, each take the ground truth it likes best among those still free.

    A detection's best free ground truth is settled as soon as no earlier detection has an open wish for it:
    those are granted all at once, wishes that came to nothing are struck out, and so on until none is left.
    Each turn grants at least the first open wish; real data needs three or four turns.

    Args:
        found: (N,), rising, below ``count``: who wishes.
        ground_truth: (N,), what for; the best liked first for each of ``found``.
        reusable: (T,), ground truths that any number may take.
        count: M, how many detections there are.

    Returns:
        (M,), the ground truth that each took, or -1.
    """
    taken_by = np.full(count, -1, np.int64)  # (M,)
    gone = np.zeros(len(reusable), bool)  # (T,)
    earliest = np.zeros(len(reusable), np.int64)  # (T,)
    while len(found):
        number = np.arange(len(found))  # (N,)
        earliest[ground_truth[::-1]] = number[
            ::-1
        ]  # of equal places the last written stays: the earliest wish
        best = np.append(True, found[1:] != found[:-1])  # (N,), each detection's favourite
        granted = best & ((earliest[ground_truth] == number) | reusable[ground_truth])  # (N,)
        taken_by[found[granted]] = ground_truth[granted]
        gone[ground_truth[granted]] = True
        open_wish = (taken_by[found] < 0) & (reusable[ground_truth] | ~gone[ground_truth])  # (N,)
        found, ground_truth = found[open_wish], ground_truth[open_wish]
    return taken_by


def _assign(
    preferred: Pairs,
    threshold: float,
    outside: Bools,
    gathered: EvaluationSet,
    protocol: Protocol,
    unsized: Bools,
) -> Assignment:
    """Judge M detections, whose pairs stand in order of preference, at one overlap."""
    wishes = preferred[preferred.overlap >= min(threshold, _CERTAIN)]
    if protocol.rule == "best free ground truth":
        taken = take_free(wishes.found, wishes.ground_truth, gathered.crowd, len(unsized))  # (M,)
        held = taken
    else:
        held, taken = _take_closest(wishes, outside, len(unsized))  # (M,), (M,)
    on_ignored = np.append(outside, False)[taken]  # (M,); who took nothing, -1, gets the one at the end
    return Assignment(taken, (taken >= 0) & ~on_ignored, on_ignored | ((held < 0) & unsized))


def _take_closest(wishes: Pairs, ignored: Bools, count: int) -> tuple[Integers, Integers]:
    """VOC's rule: each detection is held against its closest ground truth, and the first of them takes it.

    Returns:
        for each of ``count`` detections the ground truth it is held against (M,) and the one it took
        (M,), or -1.
    """
    best = np.append(True, wishes.found[1:] != wishes.found[:-1])[: len(wishes)]  # (N,)
    found, ground_truth = wishes.found[best], wishes.ground_truth[best]  # (B,), (B,)
    held = np.full(count, -1, np.int64)  # (M,)
    held[found] = ground_truth
    first = np.full(len(ignored), -1, np.int64)  # (T,)
    first[ground_truth[::-1]] = found[::-1]  # of equal places the last written stays: the most confident
    takes = (first[ground_truth] == found) | ignored[ground_truth]  # (B,)
    taken = np.full(count, -1, np.int64)  # (M,)
    taken[found[takes]] = ground_truth[takes]
    return held, taken


def _by_preference(gathered: EvaluationSet, pairs: Pairs, ignored: Bools, protocol: Protocol) -> Pairs:
    """The pairs (N,) in order of detection, and for each detection with the best liked ground truth first.

    COCO: ground truths that count before ``ignored`` (T,) ones, then by overlap, and of equals the last. VOC:
    by overlap, and of equals the first; crowds, which it does not know, come last.
    """
    coco = protocol.rule == "best free ground truth"
    last = (ignored if coco else gathered.crowd)[pairs.ground_truth]  # (N,)
    return pairs[
        np.lexsort((-pairs.ground_truth if coco else pairs.ground_truth, -pairs.overlap, last, pairs.found))
    ]


def gts_outside(gathered: EvaluationSet, sizes: AreaRange) -> Bools:
    """(T,): ground truths that are ignored in this range of sizes."""
    own = gathered.gt_area  # (T,)
    outside: Bools = gathered.ignored | (own < sizes.low) | (own > sizes.high)
    return outside


def _place_in_group(group: Integers) -> Integers:
    """(N,): how many entries with the same ``group`` (N,) stand earlier."""
    order = np.argsort(group, kind="stable")  # (N,)
    ordered = group[order]  # (N,)
    start = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(group)])  # (groups,)
    place = np.empty(len(group), np.int64)  # (N,)
    length = np.diff(np.append(start, len(group)))  # (groups,)
    place[order] = np.arange(len(group)) - np.repeat(start, length)
    return place
