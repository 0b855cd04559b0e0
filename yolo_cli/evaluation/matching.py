"""Match detections with the ground-truth boxes of their image and class.

Detections are matched in order of descending confidence (Everingham et al., "The Pascal Visual Object Classes
Challenge", IJCV 2010; Lin et al., "Microsoft COCO", ECCV 2014). One by one is slow in NumPy, so
all images, and on each image all detections that no earlier one competes with, are matched at once;
:mod:`tests.oracles_evaluation` does it one by one, with the same result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation.evaluation_set import EvaluationSet
from yolo_cli.evaluation.pairs import Pairs, overlap_of, overlapping_pairs
from yolo_cli.evaluation.protocol import COCO, AreaRange, Protocol

__all__ = ["Assignment", "Matches", "Ranking", "greedy_match", "gts_outside", "match", "ranked"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

_CERTAIN = 1 - 1e-10  # used for a threshold of 1, so that rounding cannot reject an exact match


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The M evaluated detections, sorted by class, descending confidence, image, and original order.

    Attributes:
        order: (M,), indices of the detections in the evaluation set.
        class_id: (M,), ascending.
        confidence: (M,), descending within each class.
        image: (M,), index of the image.
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

    def __getitem__(self, keep: Bools) -> Ranking:
        """The detections selected by a mask (M,)."""
        before = np.append(0, np.cumsum(keep))  # (M + 1,)
        order, image, rank = self.order[keep], self.image[keep], self.rank[keep]
        return Ranking(order, self.class_id[keep], self.confidence[keep], image, rank, before[self.start])


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """The matches of M ranked detections at one IoU threshold, all sizes together.

    Attributes:
        ground_truth: (M,), the ground truth that each was matched with, or -1.
        hit: (M,), true positives.
        ignored: (M,), ignored detections. All others are false positives.
    """

    ground_truth: Integers
    hit: Bools
    ignored: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The matches of M ranked detections at T IoU thresholds and in A ranges of sizes.

    They are computed once, and used by average precision, diagnosis, confusion matrix and reliability.

    Attributes:
        evaluation_set: the detections and ground-truth boxes that indices refer to.
        protocol: the rules of matching.
        ranking: the ranked detections.
        hit: (A, T, M), true positives.
        ignored: (A, T, M), ignored detections.
        ground_truth: (T, M), int32, the ground truth that each was matched with in the first range of
            sizes, or -1.
        ground_truths: (A, K), number of ground-truth boxes of each class that are not ignored.
    """

    evaluation_set: EvaluationSet
    protocol: Protocol
    ranking: Ranking
    hit: Bools
    ignored: Bools
    ground_truth: Integers
    ground_truths: Integers

    @property
    def thresholds(self) -> tuple[float, ...]:
        """The T IoU thresholds, ascending."""
        return self.protocol.thresholds

    def at(self, iou: float) -> int:
        """The index of an IoU threshold in ``thresholds``.

        Raises:
            ValueError: if the protocol has no such threshold.
        """
        near = np.abs(np.array(self.thresholds) - iou)  # (T,)
        if near.min() > 1e-9:
            raise ValueError(f"nothing was matched at an IoU of {iou}; add it to the protocol")
        return int(near.argmin())

    def assignment(self, iou: float) -> Assignment:
        """The matches at one of ``thresholds``, all sizes together."""
        t = self.at(iou)
        return Assignment(self.ground_truth[t], self.hit[0, t], self.ignored[0, t])

    def above(self, confidence: float) -> Matches:
        """The matches of the detections of at least ``confidence``.

        Matching is greedy by descending confidence, so less confident detections do not affect them.
        """
        keep = self.ranking.confidence >= confidence  # (M,)
        return replace(
            self,
            ranking=self.ranking[keep],
            hit=self.hit[:, :, keep],
            ignored=self.ignored[:, :, keep],
            ground_truth=self.ground_truth[:, keep],
        )


def ranked(gathered: EvaluationSet, max_detections: int | None) -> Ranking:
    """The detections in matching order, with at most ``max_detections`` per class and image."""
    found, classes = gathered.found, len(gathered.class_names)
    order = np.lexsort((-found.confidence, found.class_id))  # (D,); stable, so ties are in order of images
    group = gathered.found_image[order].astype(np.int64) * classes + found.class_id[order]  # (D,)
    rank = _place_in_group(group)  # (D,)
    if max_detections is not None:
        kept = rank < max_detections
        order, rank = order[kept], rank[kept]
    class_id = found.class_id[order]  # (M,)
    start = np.searchsorted(class_id, np.arange(classes + 1))  # (K + 1,)
    return Ranking(order, class_id, found.confidence[order], gathered.found_image[order], rank, start)


def match(gathered: EvaluationSet, protocol: Protocol = COCO) -> Matches:
    """Match every detection at every IoU threshold and in every range of sizes of the protocol."""
    ranking = ranked(gathered, protocol.max_detections)
    thresholds = protocol.thresholds
    pairs = overlapping_pairs(
        gathered, ranking.order, min(*thresholds, _CERTAIN), overlap=overlap_of(protocol.sigmas)
    )
    shape = (len(protocol.areas), len(thresholds), len(ranking))  # (A, T, M)
    hit, ignored = np.zeros(shape, bool), np.zeros(shape, bool)
    matched = np.full(shape[1:], -1, np.int32)  # (T, M)
    counts = np.zeros((len(protocol.areas), len(gathered.class_names)), np.int64)  # (A, K)
    own_area = gathered.found_wh[ranking.order].prod(axis=1)  # (M,)
    for a, sizes in enumerate(protocol.areas):
        outside = gts_outside(gathered, sizes)  # (T,)
        counts[a] = np.bincount(gathered.ground_truth.class_id[~outside], minlength=counts.shape[1])
        ordered = _by_preference(gathered, pairs, outside, protocol)
        unsized = (own_area < sizes.low) | (own_area > sizes.high)  # (M,)
        for t, threshold in enumerate(thresholds):
            made = _assign(ordered, threshold, outside, gathered, protocol, unsized)
            hit[a, t], ignored[a, t] = made.hit, made.ignored
            if a == 0:
                matched[t] = made.ground_truth
    return Matches(gathered, protocol, ranking, hit, ignored, matched, counts)


def greedy_match(found: Integers, ground_truth: Integers, reusable: Bools, count: int) -> Integers:
    """Match detections in order, each with its best candidate that is still free.

    A detection's best free candidate is final as soon as no earlier detection has it as a candidate. All such
    matches are made at once, taken candidates are dropped, and so on until none is left. Each round makes at
    least the first match; real data needs three or four rounds.

    Args:
        found: (N,), ascending, below ``count``: the detection of each candidate pair.
        ground_truth: (N,), its ground truth; best first for each of ``found``.
        reusable: (T,), ground-truth boxes that any number of detections may match.
        count: M, the number of detections.

    Returns:
        (M,), the ground truth that each was matched with, or -1.
    """
    matched = np.full(count, -1, np.int64)  # (M,)
    taken = np.zeros(len(reusable), bool)  # (T,)
    earliest = np.zeros(len(reusable), np.int64)  # (T,)
    while len(found):
        number = np.arange(len(found))  # (N,)
        # Of equal indices, the last write wins, so written backwards: the earliest pair.
        earliest[ground_truth[::-1]] = number[::-1]
        best = np.append(True, found[1:] != found[:-1])  # (N,), each detection's best candidate
        made = best & ((earliest[ground_truth] == number) | reusable[ground_truth])  # (N,)
        matched[found[made]] = ground_truth[made]
        taken[ground_truth[made]] = True
        left = (matched[found] < 0) & (reusable[ground_truth] | ~taken[ground_truth])  # (N,)
        found, ground_truth = found[left], ground_truth[left]
    return matched


def _assign(
    ordered: Pairs,
    threshold: float,
    outside: Bools,
    gathered: EvaluationSet,
    protocol: Protocol,
    unsized: Bools,
) -> Assignment:
    """Match M detections at one threshold; the pairs of each are in order of preference."""
    candidates = ordered[ordered.overlap >= min(threshold, _CERTAIN)]
    if protocol.rule == "best free ground truth":
        matched = greedy_match(candidates.found, candidates.ground_truth, gathered.crowd, len(unsized))
        closest = matched  # (M,)
    else:
        closest, matched = _match_closest(candidates, outside, len(unsized))  # (M,), (M,)
    on_ignored = np.append(outside, False)[matched]  # (M,); -1 (unmatched) indexes the end
    return Assignment(matched, (matched >= 0) & ~on_ignored, on_ignored | ((closest < 0) & unsized))


def _match_closest(candidates: Pairs, ignored: Bools, count: int) -> tuple[Integers, Integers]:
    """VOC's rule: a detection can match only its closest ground truth, and the first one takes it.

    Returns:
        for each of ``count`` detections its closest ground truth (M,) and the one it was matched with
        (M,), or -1.
    """
    best = np.append(True, candidates.found[1:] != candidates.found[:-1])[: len(candidates)]  # (N,)
    found, ground_truth = candidates.found[best], candidates.ground_truth[best]  # (B,), (B,)
    closest = np.full(count, -1, np.int64)  # (M,)
    closest[found] = ground_truth
    first = np.full(len(ignored), -1, np.int64)  # (T,)
    first[ground_truth[::-1]] = found[::-1]  # of equal indices, the last write wins: the most confident
    takes = (first[ground_truth] == found) | ignored[ground_truth]  # (B,)
    matched = np.full(count, -1, np.int64)  # (M,)
    matched[found[takes]] = ground_truth[takes]
    return closest, matched


def _by_preference(gathered: EvaluationSet, pairs: Pairs, ignored: Bools, protocol: Protocol) -> Pairs:
    """The pairs (N,) in order of detections, for each detection with its preferred ground truth first.

    COCO: ``ignored`` (T,) ground-truth boxes last, then by overlap, and of equals the last. VOC: by overlap,
    and of equals the first; crowds, which VOC does not have, come last.
    """
    coco = protocol.rule == "best free ground truth"
    last = (ignored if coco else gathered.crowd)[pairs.ground_truth]  # (N,)
    return pairs[
        np.lexsort((-pairs.ground_truth if coco else pairs.ground_truth, -pairs.overlap, last, pairs.found))
    ]


def gts_outside(gathered: EvaluationSet, sizes: AreaRange) -> Bools:
    """(T,): ground-truth boxes that are ignored in this range of sizes."""
    own = gathered.gt_area  # (T,)
    outside: Bools = gathered.ignored | (own < sizes.low) | (own > sizes.high)
    return outside


def _place_in_group(group: Integers) -> Integers:
    """(N,): the number of earlier entries with the same ``group`` (N,)."""
    order = np.argsort(group, kind="stable")  # (N,)
    ordered = group[order]  # (N,)
    start = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(group)])  # (groups,)
    place = np.empty(len(group), np.int64)  # (N,)
    length = np.diff(np.append(start, len(group)))  # (groups,)
    place[order] = np.arange(len(group)) - np.repeat(start, length)
    return place
