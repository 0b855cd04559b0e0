"""What a data set consists of: images, boxes, sizes, classes by split, classes that occur together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.sample import Dataset, Sample
from yolo_cli.errors import DataError
from yolo_cli.text import Jsonable

__all__ = ["CELLS", "ClassStats", "DatasetStats", "SplitStats", "statistics"]

CELLS = 16
"""Rows and columns of the map of centres."""
_MOST_TOGETHER = 2_000  # classes of a table of pairs, which grows with their square
_SMALL, _LARGE = 32.0**2, 96.0**2  # square pixels, as in COCO


@dataclass(frozen=True, slots=True)
class SplitStats:
    """One split: numbers of images, of those without boxes, of boxes, and of boxes with each flag."""

    split: str
    images: int
    background: int
    boxes: int
    difficult: int
    crowd: int


@dataclass(frozen=True, slots=True)
class ClassStats:
    """One class.

    Attributes:
        class_name: its name.
        boxes: number of boxes.
        images: number of images with a box.
        by_split: number of boxes in each split.
        median_width, median_height: of its boxes in pixels; 0 without boxes.
    """

    class_name: str
    boxes: int
    images: int
    by_split: Mapping[str, int]
    median_width: float
    median_height: float


@dataclass(frozen=True, slots=True, eq=False)
class DatasetStats(Jsonable):
    """What a data set consists of. Areas of boxes are compared with those of COCO: 32² and 96² pixels.

    Attributes:
        data: the data set's folder.
        form: the name of its form.
        splits: each split.
        classes: each class, in the order of ids.
        image_sizes: width, height and number of images, the most frequent first.
        boxes_per_image: number of images by their number of boxes.
        areas: number of small, medium and large boxes.
        relative_sides: the side of each box, the root of its area over that of its image, (N,).
        centres: number of boxes by the place of their centre, (16, 16), rows from the top.
        together: number of images in which two classes occur, (classes, classes); empty, (0, 0), for more
            than 2,000 classes.
        unreadable: a line for each image that is left out, since it or its label cannot be read.
    """

    data: str
    form: str
    splits: tuple[SplitStats, ...]
    classes: tuple[ClassStats, ...]
    image_sizes: tuple[tuple[int, int, int], ...]
    boxes_per_image: Mapping[int, int]
    areas: Mapping[str, int]
    relative_sides: NDArray[np.float64]
    centres: NDArray[np.int64]
    together: NDArray[np.int64]
    unreadable: tuple[str, ...] = ()

    @property
    def images(self) -> int:
        """Number of images."""
        return sum(split.images for split in self.splits)

    @property
    def boxes(self) -> int:
        """Number of boxes."""
        return sum(split.boxes for split in self.splits)

    def __repr__(self) -> str:
        counts = f"{self.images} images, {self.boxes} boxes, {len(self.classes)} classes"
        return f"<DatasetStats {self.data}: {counts}>"

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data; of the relative sides the 5th, 50th and 95th percentile."""
        sides = np.percentile(self.relative_sides, (5, 50, 95)) if len(self.relative_sides) else np.zeros(3)
        return {
            "data": self.data,
            "form": self.form,
            "images": self.images,
            "boxes": self.boxes,
            "splits": [asdict(split) for split in self.splits],
            "classes": [asdict(one) | {"by_split": dict(one.by_split)} for one in self.classes],
            "image_sizes": [
                {"width": width, "height": height, "images": images}
                for width, height, images in self.image_sizes
            ],
            "boxes_per_image": {str(boxes): images for boxes, images in self.boxes_per_image.items()},
            "areas": dict(self.areas),
            "relative_sides": dict(zip(("p5", "p50", "p95"), sides.round(4).tolist(), strict=True)),
            "centres": self.centres.tolist(),
            "together": self.together.tolist(),
            "unreadable": list(self.unreadable),
        }


def statistics(dataset: Dataset) -> DatasetStats:
    """Count what a data set consists of. Only the headers of its images are read.

    Raises:
        DataError: if no image can be read.
    """
    samples, sizes, unreadable = _readable(dataset.samples)
    if not samples:
        raise DataError(f"{dataset.location}: no image can be read; first: {[*unreadable, 'it has none'][0]}")
    class_ids = np.concatenate([sample.labels.class_id for sample in samples])  # (N,)
    xyxy = np.concatenate([sample.ground_truth.xyxy for sample in samples])  # (N, 4)
    counts = [len(sample.labels) for sample in samples]
    wh = xyxy[:, 2:] - xyxy[:, :2]  # (N, 2)
    frames = np.repeat(sizes[:, ::-1], counts, axis=0)  # (N, 2): width, height
    areas = np.concatenate([sample.ground_truth.area for sample in samples])  # (N,)
    return DatasetStats(
        str(dataset.location),
        dataset.kind,
        tuple(_of_split(split, [s for s in samples if s.split == split]) for split in dataset.splits),
        _of_classes(dataset, samples, class_ids, wh),
        _image_sizes(sizes),
        dict(sorted(Counter(counts).items())),
        _areas(areas),
        np.sqrt(np.prod(wh / frames, axis=1)),
        _centres((xyxy[:, :2] + xyxy[:, 2:]) / 2 / frames),
        _together(samples, len(dataset.class_names)),
        unreadable + _refused(dataset),
    )


def _readable(
    samples: Sequence[Sample],
) -> tuple[list[Sample], NDArray[np.int64], tuple[str, ...]]:
    """The samples whose images can be read, their heights and widths (n, 2), and why others cannot."""
    found, sizes, faults = [], [], []
    for sample in samples:
        try:
            sizes.append(sample.size)
        except DataError as fault:
            faults.append(fault.text)
            continue
        found.append(sample)
    return found, np.array(sizes, np.int64).reshape(-1, 2), tuple(faults)


def _refused(dataset: Dataset) -> tuple[str, ...]:
    """Why images of the data set were left out when it was read, a line for each."""
    first = {f.image: f"{f.where}: {f.what}" for f in reversed(dataset.findings) if f.unusable and f.image}
    return tuple(first.values())[::-1]


def _of_split(split: str, samples: Sequence[Sample]) -> SplitStats:
    """The figures of one split."""
    counts = [len(sample.labels) for sample in samples]
    return SplitStats(
        split,
        len(samples),
        counts.count(0),
        sum(counts),
        sum(int(sample.labels.difficult.sum()) for sample in samples),
        sum(int(sample.labels.crowd.sum()) for sample in samples),
    )


def _of_classes(
    dataset: Dataset, samples: Sequence[Sample], class_ids: NDArray[np.integer], wh: NDArray[np.float64]
) -> tuple[ClassStats, ...]:
    """The figures of each class; boxes have classes (N,), and widths and heights (N, 2)."""
    images = Counter(i for sample in samples for i in set(sample.labels.class_id.tolist()))
    splits = np.repeat([sample.split for sample in samples], [len(sample.labels) for sample in samples])
    by_split = Counter(zip(class_ids.tolist(), splits.tolist(), strict=True))
    order = np.argsort(class_ids, kind="stable")
    ends = np.cumsum(np.bincount(class_ids, minlength=len(dataset.class_names)))[:-1]
    return tuple(
        ClassStats(
            name,
            len(sides),
            images[i],
            {split: by_split[i, split] for split in dataset.splits},
            *(np.median(sides, axis=0).round(2).tolist() if len(sides) else (0.0, 0.0)),
        )
        for i, (name, sides) in enumerate(
            zip(dataset.class_names, np.split(wh[order], ends), strict=True),
        )
    )


def _together(samples: Sequence[Sample], classes: int) -> NDArray[np.int64]:
    """Number of images in which two classes occur, (classes, classes), or (0, 0) for too many classes."""
    if classes > _MOST_TOGETHER:
        return np.zeros((0, 0), np.int64)
    found = np.zeros((classes, classes), np.int64)
    for sample in samples:
        ids = np.unique(sample.labels.class_id)
        found[np.ix_(ids, ids)] += 1
    return found


def _image_sizes(sizes: NDArray[np.int64]) -> tuple[tuple[int, int, int], ...]:
    """Width, height and number of images of each size of heights and widths (n, 2)."""
    counted = Counter((width, height) for height, width in sizes.tolist())
    return tuple((*size, count) for size, count in counted.most_common())


def _areas(areas: NDArray[np.float64]) -> dict[str, int]:
    """Number of boxes by area (N,)."""
    bins = np.digitize(areas, (_SMALL, _LARGE))  # (N,)
    return dict(zip(("small", "medium", "large"), np.bincount(bins, minlength=3).tolist(), strict=True))


def _centres(centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of centres (N, 2), fractions of width and height, in each cell (16, 16)."""
    cells = np.clip((centres * CELLS).astype(np.int64), 0, CELLS - 1)  # (N, 2)
    counts = np.zeros((CELLS, CELLS), np.int64)
    np.add.at(counts, (cells[:, 1], cells[:, 0]), 1)
    return counts
