"""Data sets and samples: images with their annotated boxes.

Boxes of all forms are xyxy, float64, in pixels of the *upright* image (rotated by its EXIF orientation), with
(0, 0) the upper left corner of the upper left pixel. float64, so that figures agree with programs that read
the same files in double precision.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.sizes import HEAD_BYTES, image_header, read_head
from yolo_cli.detections import GroundTruth
from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import Image, read_image
from yolo_cli.keypoints import KeyPoints, flip_by_names

__all__ = ["UNSPLIT", "Dataset", "Kind", "Sample"]

Kind = str
UNSPLIT = "all"
"""The split of samples in an unsplit data set."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image and its boxes. The image is read lazily, and not kept.

    Attributes:
        name: the image's path below the data set's folder, with slashes; unique within a split.
        path: the image file.
        split: "train", "val", "test", or ``UNSPLIT``.
        image_id: COCO's id of the image; in the other forms its file name without suffix.
        label: the label file below the data set's folder, with slashes; "" for an image without one.
        labels: the boxes as in their file: pixels, or fractions of width and height (``fractions``).
        rows: the position of each box in the label file: line (YOLO) or object (VOC), from 1, or index into
            ``annotations`` (COCO), from 0.
        fractions: whether ``labels`` holds fractions of the image's width and height.
        declared_size: height and width in pixels according to the label file, or None.
        other_ids: further ids of the same file in a COCO file.
        extras: what each box has besides, or () if no box has anything, or nobody asked.
    """

    name: str
    path: Path
    split: str
    image_id: int | str
    label: str
    labels: GroundTruth = field(default_factory=lambda: GroundTruth(np.zeros((0, 4))))
    rows: tuple[int, ...] = ()
    fractions: bool = False
    declared_size: tuple[int, int] | None = None
    extras: tuple[Extra, ...] = ()
    other_ids: tuple[int | str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.labels):
            raise ValueError(f"{len(self.rows)} rows for {len(self.labels)} boxes")
        if len(self.extras) not in (0, len(self.labels)):
            raise ValueError(f"{len(self.extras)} extras for {len(self.labels)} boxes")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the upright image in pixels, from the file's header.

        Without a file it is the size that the label gives.

        Raises:
            DataError: if the file is missing or not an image.
        """
        try:
            return image_header(self.path).upright
        except DataError:
            if self.declared_size is None or min(self.declared_size) <= 0 or os.path.lexists(self.path):
                raise
            return self.declared_size

    @property
    def ground_truth(self) -> GroundTruth:
        """The boxes in pixels of the upright image, float64, (N, 4). Only fractions need the image's size.

        Raises:
            DataError: if the size is needed, but the image is missing or not an image.
        """
        if not self.fractions or not len(self.labels):
            return self.labels
        height, width = self.size
        xyxy = self.labels.xyxy * np.array([width, height, width, height], float)  # (N, 4)
        points = self.labels.keypoints
        scaled = None if points is None else points * np.array([width, height, 1.0])  # (N, K, 3)
        labels = self.labels
        return GroundTruth(xyxy, labels.class_id, labels.crowd, labels.difficult, keypoints=scaled)

    def read(self) -> Image:
        """The upright image, under the sample's name.

        Raises:
            DataError: if the file is missing, damaged or not an image.
        """
        return read_image(self.path, self.name)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, read from one of the forms.

    Attributes:
        root: the folder that names are relative to.
        kind: the form: "yolo", "coco", "voc", "labelme" and so on: see ``docs/data.md``.
        class_names: the name of each class id, for all splits.
        samples: by split (train, val, test, others), then by name.
        findings: entries that were left out when reading.
        categories: for COCO, by split: the category id of each class id.
        keypoint_names: the name of each key point.
        kpt_shape: in YOLO's form, the number of key points of a box and of the numbers of each.
        flip_idx: the key point that each becomes in a mirrored image.
        skeleton: the pairs of key points, from 0, to draw lines between.
        archive: the archive or folder that was unpacked to ``root``, a temporary folder; else None.
    """

    root: Path
    kind: Kind
    class_names: tuple[str, ...]
    samples: tuple[Sample, ...]
    findings: tuple[Finding, ...] = ()
    categories: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    keypoint_names: tuple[str, ...] = ()
    flip_idx: tuple[int, ...] = ()
    kpt_shape: tuple[int, int] | None = None
    skeleton: tuple[tuple[int, int], ...] = ()
    archive: Path | None = None

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def location(self) -> Path:
        """Where a user has the data set: its archive, or its folder."""
        return self.archive or self.root

    @property
    def key_points(self) -> KeyPoints | None:
        """The key points of its objects, or None if they have none."""
        names = self.keypoint_names
        if not names:
            return None
        return KeyPoints(names, self.skeleton, self.flip_idx or flip_by_names(names))

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits with samples, in order."""
        return tuple(dict.fromkeys(sample.split for sample in self.samples))

    def in_split(self, split: str) -> Dataset:
        """The samples of one split. An unsplit data set has only ``UNSPLIT``.

        Raises:
            UsageError: if there is no such split.
        """
        samples = tuple(sample for sample in self.samples if sample.split == split)
        if not samples:
            have = ", ".join(self.splits)
            raise UsageError(f"{self.location}: has no split {split!r}, only {have}; name one of these")
        return replace(self, samples=samples)

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The category id of each class id: COCO's, else 0, 1, 2 and so on.

        Raises:
            DataError: if the splits number their categories differently.
        """
        found = {self.categories[split] for split in self.splits if split in self.categories}
        if len(found) > 1:
            raise DataError(
                f"{self.location}: its splits number their categories differently; choose one split"
            )
        return found.pop() if found else tuple(range(len(self.class_names)))

    def class_counts(self) -> NDArray[np.int64]:
        """Number of boxes of each class, (classes,)."""
        ids = [sample.labels.class_id for sample in self.samples]
        flat = np.concatenate([np.zeros(0, np.int64), *ids])  # (boxes,)
        return np.bincount(flat, minlength=len(self.class_names)).astype(np.int64)

    def box_sizes(self, imgsz: int) -> NDArray[np.float64]:
        """Widths and heights (boxes, 2) in pixels after scaling each image's longer side to ``imgsz`` pixels.

        That is their size after a letterbox. Boxes around crowds are left out.

        Raises:
            DataError: if an image whose size is needed is missing or not an image.
        """
        found = [np.zeros((0, 2))]
        for sample in self.samples:
            ground_truth = sample.ground_truth
            wh = (ground_truth.xyxy[:, 2:] - ground_truth.xyxy[:, :2])[~ground_truth.crowd]  # (N, 2)
            if len(wh):
                found.append(wh * (imgsz / max(sample.size)))
        return np.concatenate(found)

    @cached_property
    def content_hash(self) -> str:
        """sha256, in hex, of the data; it does not depend on the folder's path.

        It covers the class names and, for each sample in the order of split and name: both of these, the
        image's size in bytes and its first 64 KiB, and the boxes with class, crowd and difficult. It does
        not depend on the format of the labels. (Complete files would take minutes for large images;
        compressed images that differ nearly always differ in their length or in their first 64 KiB. An
        image that cannot be read counts as one of no bytes.)
        """
        digest = hashlib.sha256(repr(self.class_names).encode())
        for sample in sorted(self.samples, key=lambda sample: (sample.split, sample.name)):
            head, length = _head(sample.path)
            digest.update(repr((sample.split, sample.name, length, len(sample.labels))).encode())
            digest.update(hashlib.sha256(head).digest())
            for part in _numbers(sample.labels):
                digest.update(part.tobytes())
        return digest.hexdigest()


def _head(image: Path) -> tuple[bytes, int]:
    """The first bytes of an image, and its length; nothing of one that cannot be read."""
    try:
        return read_head(image, HEAD_BYTES)
    except DataError:
        return b"", 0


def _numbers(ground_truth: GroundTruth) -> tuple[NDArray[Any], ...]:
    """Boxes (N, 4), classes, crowd and difficult flags (N,) in platform-independent types."""
    flags = (ground_truth.crowd.astype("u1"), ground_truth.difficult.astype("u1"))
    return (ground_truth.xyxy.astype("<f8"), ground_truth.class_id.astype("<i8"), *flags)
