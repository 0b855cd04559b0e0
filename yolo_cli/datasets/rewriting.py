"""Write a fixed copy from its boxes, for forms whose rows cannot be copied as they are."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from yolo_cli.datasets.checks import in_pixels
from yolo_cli.datasets.copies import CopiedSample
from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.opening import TITLES
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.writing import FORMS, Content, Entry
from yolo_cli.detections import GroundTruth
from yolo_cli.files import make_folder

__all__ = ["copy_images", "rewrite"]


def rewrite(dataset: Dataset, copied: Sequence[CopiedSample], folder: Path) -> str:
    """Write the images and boxes into a folder, in the form of the data set or in COCO's.

    Returns:
        A line that says which.

    Raises:
        UsageError: if the form is parquet and pyarrow is not installed.
        OSError: if something cannot be written.
    """
    form = FORMS.get(dataset.kind, FORMS["coco"])
    if not form.embeds:
        copy_images(copied, folder)
    form.write(_content(dataset, copied), folder)
    points = " and key points" if dataset.keypoint_names and form.holds.keypoints != "none" else ""
    why = "" if form.name == dataset.kind else f", since {TITLES[dataset.kind]} is not written"
    return f"written in {TITLES[form.name]} form with boxes{points} only{why}"


def copy_images(copied: Sequence[CopiedSample], folder: Path) -> None:
    """Copy the images to their places in a folder."""
    for entry in copied:
        place = folder / entry.file
        shutil.copyfile(entry.sample.path, make_folder(place.parent) / place.name)


def _content(dataset: Dataset, copied: Sequence[CopiedSample]) -> Content:
    """The fixed samples with their boxes, as `yolo convert` writes them."""
    ids = tuple(range(1, len(dataset.class_names) + 1))
    entries = tuple(_entry(entry, number) for number, entry in enumerate(copied, start=1))
    points = (dataset.keypoint_names, dataset.flip_idx, dataset.skeleton)
    return Content(dataset.class_names, ids, entries, *points)


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
    """What a box has besides: its key points, and more if that was read and the box did not move."""
    extras, turned = copied.sample.extras, copied.keypoints
    extra = extras[index] if extras and copied.boxes[index] is None else Extra()
    points = copied.sample.ground_truth.keypoints if turned is None else turned  # (N, K, 3)
    return extra if points is None else replace(extra, keypoints=tuple(map(tuple, points[index].tolist())))
