"""Overlapping pairs of detections and ground-truth boxes, for all images at once in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_area, paired_iou
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation.evaluation_set import EvaluationSet

__all__ = ["Pairs", "overlap_of", "overlapping_pairs"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
Overlap = Callable[[EvaluationSet, Integers, Integers], Floats]
"""Overlaps (N,) of detections and ground-truth boxes, by their indices (N,) in an evaluation set."""

_BLOCK = 1 << 18  # pairs per block: a few tens of MB of boxes for data of any size


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """N pairs of a detection and a ground truth on one image that overlap.

    Attributes:
        found: (N,), ascending: the detection's index in the requested order.
        ground_truth: (N,): the ground truth's index in the evaluation set, ascending for each detection.
        overlap: (N,), in [0, 1].
    """

    found: Integers
    ground_truth: Integers
    overlap: Floats

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, index: Integers | Bools) -> Pairs:
        """The pairs at ``index``: integer positions (M,) or a mask (N,)."""
        return Pairs(self.found[index], self.ground_truth[index], self.overlap[index])


def overlapping_pairs(
    gathered: EvaluationSet,
    order: Integers,
    at_least: float,
    any_class: bool = False,
    overlap: Overlap | None = None,
) -> Pairs:
    """Pairs on one image with an overlap of ``at_least`` or more.

    Args:
        gathered: N detections and T ground-truth boxes.
        order: (M,), indices of detections; ``Pairs.found`` is an index into it.
        at_least: the smallest overlap, above 0.
        any_class: also pairs whose classes differ.
        overlap: from `overlap_of`; None is that of boxes.
    """
    overlap = overlap or _box_overlap
    by_group, first, count = _gts_beside(gathered, order, any_class)  # (T,), (M,), (M,)
    blocks = [
        _overlapping(gathered, order, _spread(block, first, count, by_group), at_least, overlap)
        for block in _blocks(count)
    ]
    return Pairs(
        np.concatenate([block.found for block in blocks]),
        np.concatenate([block.ground_truth for block in blocks]),
        np.concatenate([block.overlap for block in blocks]),
    )


def _gts_beside(gathered: EvaluationSet, order: Integers, any_class: bool) -> tuple[Integers, ...]:
    """The ground-truth boxes on each detection's image (and of its class).

    Returns:
        indices of ground-truth boxes (T,) sorted by group, and for each detection in ``order`` the start (M,)
        and size (M,) of its group in them.
    """
    found_group = gathered.found_image[order].astype(np.int64)  # (M,)
    gt_group = gathered.gt_image.astype(np.int64)  # (T,)
    if not any_class:
        classes = len(gathered.class_names)
        found_group = found_group * classes + gathered.found.class_id[order]
        gt_group = gt_group * classes + gathered.ground_truth.class_id
    by_group = np.argsort(gt_group, kind="stable")  # (T,)
    sorted_group = gt_group[by_group]  # (T,)
    first = np.searchsorted(sorted_group, found_group, side="left")  # (M,)
    return by_group, first, np.searchsorted(sorted_group, found_group, side="right") - first


def _blocks(count: Integers) -> Iterator[slice]:
    """Split rows with ``count`` (M,) pairs each into blocks of about ``_BLOCK`` pairs; at least one."""
    total = np.cumsum(count)  # (M,)
    end = int(total[-1]) if len(total) else 0
    cuts = np.searchsorted(total, np.arange(_BLOCK, end, _BLOCK)).tolist()
    yield from (slice(a, b) for a, b in zip([0, *cuts], [*cuts, len(count)], strict=True))


def _spread(block: slice, first: Integers, count: Integers, by_group: Integers) -> tuple[Integers, Integers]:
    """Every (detection, object) of a block of rows, as indices (N,) into ``order`` and of objects (N,)."""
    rows = np.repeat(np.arange(block.start, block.stop), count[block])  # (N,)
    ends = np.cumsum(count[block])  # (rows in the block,)
    # 0, 1, … within each row: the running number minus the row's start.
    step = np.arange(len(rows)) - np.repeat(ends - count[block], count[block])  # (N,)
    return rows, by_group[first[rows] + step]


def _overlapping(
    gathered: EvaluationSet,
    order: Integers,
    places: tuple[Integers, Integers],
    at_least: float,
    overlap: Overlap,
) -> Pairs:
    """The pairs of N that overlap enough."""
    found, ground_truth = places  # (N,), (N,)
    overlaps = overlap(gathered, order[found], ground_truth)  # (N,)
    keep = overlaps >= at_least  # (N,)
    return Pairs(found[keep], ground_truth[keep], overlaps[keep])


def overlap_of(sigmas: Sequence[float]) -> Overlap:
    """OKS of key points with these sigmas, (K,); without any the overlap of boxes.

    That is IoU; for a crowd, intersection over the detection's area.
    """
    return partial(_oks, np.asarray(sigmas, float)) if len(sigmas) else _box_overlap


def _box_overlap(gathered: EvaluationSet, found: Integers, ground_truth: Integers) -> Floats:
    """The overlap (N,) of boxes."""
    a, b = gathered.found.xyxy[found], gathered.ground_truth.xyxy[ground_truth]  # (N, 4), (N, 4)
    own = gathered.found_wh[found].prod(axis=1)  # (N,)
    other = gathered.gt_wh[ground_truth].prod(axis=1)  # (N,)
    overlap = paired_iou(a, b, (own, other))  # (N,)
    in_crowd = gathered.crowd[ground_truth]  # (N,)
    overlap[in_crowd] = _fraction_inside(a[in_crowd], b[in_crowd], own[in_crowd])
    return overlap


def _oks(sigmas: Floats, gathered: EvaluationSet, found: Integers, ground_truth: Integers) -> Floats:
    """OKS (N,); a few thousand pairs at a time, as each has K points."""
    step = max(1, _BLOCK // (4 * len(sigmas)))
    parts = [
        _oks_of(sigmas, gathered, found[at : at + step], ground_truth[at : at + step])
        for at in range(0, len(found), step)
    ]
    return np.concatenate([np.zeros(0), *parts])


def _oks_of(sigmas: Floats, gathered: EvaluationSet, found: Integers, ground_truth: Integers) -> Floats:
    """OKS (N,).

    With an object that has no labelled point, pycocotools compares distances to its box, made three times as
    wide and high; such objects are ignored, but which detections they take depends on it.
    """
    mine, theirs = (_keypoints(gathered.found)[found], _keypoints(gathered.ground_truth)[ground_truth])
    low, size = gathered.ground_truth.xyxy[ground_truth, None, :2], gathered.gt_wh[ground_truth, None]
    outside = np.maximum(low - size - mine[..., :2], 0) + np.maximum(mine[..., :2] - low - 2 * size, 0)
    labelled = theirs[..., 2] > 0  # (N, K)
    some: Bools = np.asarray(labelled.any(axis=1))  # (N,)
    apart = np.where(some[:, None, None], mine[..., :2] - theirs[..., :2], outside)  # (N, K, 2)
    area = gathered.gt_area[ground_truth, None] + np.spacing(1)  # (N, 1)
    e = np.square(apart).sum(axis=2) / np.square(2 * sigmas) / area / 2  # (N, K)
    counted = labelled | ~some[:, None]  # (N, K)
    similar: Floats = (np.exp(-e) * counted).sum(axis=1) / counted.sum(axis=1)  # (N,)
    return similar


def _keypoints(boxes: Detections | GroundTruth) -> Floats:
    """Their key points, (N, K, 3)."""
    if boxes.keypoints is None:
        raise ValueError("there are no key points to compare")
    return boxes.keypoints


def _fraction_inside(a: Floats, b: Floats, area: Floats) -> Floats:
    """The fraction (N,) of each of ``a`` (N, 4), of ``area`` (N,), inside its partner of ``b`` (N, 4)."""
    corners = (np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:]))  # (N, 2), (N, 2)
    common = box_area(np.concatenate(corners, axis=1))  # (N,)
    fraction: Floats = common / np.maximum(area, np.finfo(a.dtype).tiny)  # (N,)
    return fraction
