"""ObjectLab as cleanlab computes it, and ranking by confidence: the rankings that ours is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.suspect_faults import Examined, Found
from yolo_cli.boxes import box_iou

__all__ = ["by_confidence", "objectlab"]

_FAINT = 0.05  # detections below this change no score of ObjectLab, but take it hours


def objectlab(images: Sequence[Examined], classes: int, high: float, low: float) -> dict[str, list[Found]]:
    """The rankings of ``cleanlab.object_detection.rank``, most probable fault first.

    Args:
        images: samples, labels and detections.
        classes: number of classes.
        high, low: its thresholds of confidence, 0.95 and 0.5 by default.
    """
    rank = pytest.importorskip("cleanlab.object_detection.rank", reason="cleanlab is not installed")
    labels = [{"bboxes": gt.xyxy, "labels": gt.class_id} for _, gt, _ in images]
    inputs = rank._get_valid_inputs_for_compute_scores(
        0.9, labels, [_by_class(found, classes) for *_, found in images]
    )
    names = [sample.name for sample, *_ in images]
    overlooked = rank.compute_overlooked_box_scores(high_probability_threshold=high, auxiliary_inputs=inputs)
    swapped = rank.compute_swap_box_scores(high_probability_threshold=high, auxiliary_inputs=inputs)
    misplaced = rank.compute_badloc_box_scores(low_probability_threshold=low, auxiliary_inputs=inputs)
    objects = [
        (score, (name, -1, tuple(box), int(class_id)))
        for name, scores, it in zip(names, overlooked, inputs, strict=True)
        for score, box, class_id in zip(scores, it["pred_bboxes"], it["pred_labels"], strict=True)
    ]
    return {
        "overlooked": _sorted(objects),
        "swapped": _sorted(_rows(images, swapped)),
        "misplaced": _sorted(_rows(images, misplaced)),
    }


def by_confidence(images: Sequence[Examined]) -> list[Found]:
    """Labels by the best confidence of a detection of their class on them (IoU 0.5), lowest first."""
    support = [
        (box_iou(gt.xyxy, found.xyxy) >= 0.5) * (gt.class_id[:, None] == found.class_id) * found.confidence
        for _, gt, found in images
    ]
    ranked = _rows(images, [part.max(axis=1, initial=0) for part in support])
    ignored = {
        (sample.name, row)
        for sample, gt, _ in images
        for row, skip in zip(sample.rows, gt.difficult | gt.crowd, strict=True)
        if skip
    }
    return [one for one in _sorted(ranked, 2.0) if one[:2] not in ignored]


def _by_class(found, classes: int) -> np.ndarray:
    """Detections in cleanlab's form: for each class an array (M, 5)."""
    found = found[found.confidence > _FAINT]
    rows = np.column_stack([found.xyxy, found.confidence]).astype(float)
    parts = np.empty(classes, dtype=object)
    for number in range(classes):
        parts[number] = rows[found.class_id == number]
    return parts


def _rows(images: Sequence[Examined], scores: Sequence[np.ndarray]) -> list[tuple[float, Found]]:
    return [
        (float(score), (sample.name, row, (), 0))
        for (sample, *_), part in zip(images, scores, strict=True)
        for row, score in zip(sample.rows, part, strict=True)
    ]


def _sorted(scored: list[tuple[float, Found]], most: float = 1.0) -> list[Found]:
    """Lowest score first, without labels that are certainly right."""
    kept = [pair for pair in scored if not np.isnan(pair[0]) and pair[0] < most]
    return [one for _, one in sorted(kept, key=lambda pair: pair[0])]
