"""The labels of a fixed copy in COCO form, for data sets in a form that is only read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from yolo_cli.datasets.checks import in_pixels
from yolo_cli.datasets.copies import CopiedSample
from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.writing import Content, Entry
from yolo_cli.detections import GroundTruth

__all__ = ["content_of"]


def content_of(dataset: Dataset, copied: Sequence[CopiedSample]) -> Content:
    """The fixed samples with their boxes, as `yolo convert` writes them."""
    ids = tuple(range(1, len(dataset.class_names) + 1))
    entries = tuple(_entry(entry, number) for number, entry in enumerate(copied, start=1))
    return Content(
        dataset.class_names, ids, entries, dataset.keypoint_names, dataset.flip_idx, dataset.skeleton
    )


def _entry(copied: CopiedSample, number: int) -> Entry:
    """One image: its kept boxes, with new edges and classes where there are some, then the added ones."""
    labels, kept = copied.sample.labels, list(copied.boxes)
    own = in_pixels(copied.sample, copied.size)  # (N, 4)
    edges = [own[i] if copied.boxes[i] is None else copied.boxes[i] for i in kept]
    classes = [copied.classes.get(i, int(labels.class_id[i])) for i in kept]
    added = [class_id for class_id, _ in copied.added]
    none = np.zeros(len(added), bool)
    boxes = GroundTruth(
        np.array([*edges, *(box for _, box in copied.added)], float).reshape(-1, 4),
        np.array([*classes, *added], np.int64),
        np.concatenate([labels.crowd[kept], none]),
        np.concatenate([labels.difficult[kept], none]),
    )
    extras = tuple(_extra(copied, i) for i in kept) + (Extra(),) * len(added)
    return Entry(copied.sample, copied.size, boxes, extras, file=copied.file, image_id=number)


def _extra(copied: CopiedSample, index: int) -> Extra:
    """What a box has besides, if that was read and the box did not move."""
    extras = copied.sample.extras
    return extras[index] if extras and copied.boxes[index] is None else Extra()
