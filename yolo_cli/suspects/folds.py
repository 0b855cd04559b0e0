"""Split a data set into folds, and write the images outside a fold as a data set to train on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import xyxy_to_xywh
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.datasets.holdout import chosen
from yolo_cli.datasets.inspection import Inspection, near_pairs
from yolo_cli.datasets.stratification import presence
from yolo_cli.errors import DataError
from yolo_cli.files import atomic_write_text

__all__ = ["fold_numbers", "write_training_set"]


def fold_numbers(
    samples: Sequence[Sample], classes: int, inspections: Mapping[Path, Inspection], count: int, seed: int
) -> NDArray[np.int64]:
    """The fold of each image, (N,), from 0 to ``count`` - 1.

    Equal and nearly equal images are in one fold. Folds have about the same number of images, and of images
    with each class, by the iterative stratification of `hold_out`.

    Args:
        samples: the images, all readable.
        classes: number of classes.
        inspections: of each image.
        count: number of folds, at least 2.
        seed: random seed.

    Raises:
        DataError: if there are fewer groups of different images than folds.
    """
    group = _groups([inspections[sample.path] for sample in samples])  # (N,)
    shown = np.zeros((int(group.max(initial=-1)) + 1, classes + 1), bool)  # (groups, classes + 1)
    np.logical_or.at(shown, group, presence(samples, classes))
    if len(shown) < count:
        raise DataError(f"{len(shown)} different images cannot be split into {count} folds; use fewer folds")
    folds = np.zeros(len(shown), np.int64)  # (groups,)
    left, rng = np.arange(len(shown)), np.random.default_rng(seed)
    for number in range(1, count):
        out = chosen(shown[left], 1 / (count - number + 1), rng)  # (left,)
        folds[left[out]] = number
        left = left[~out]
    return folds[group]


def _groups(inspections: Sequence[Inspection]) -> NDArray[np.int64]:
    """Numbers from 0, (N,), the same for images that are equal, nearly equal, or linked by such pairs."""
    parent = list(range(len(inspections)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    first: dict[str, int] = {}
    pairs = [(first.setdefault(it.sha256, at), at) for at, it in enumerate(inspections)]
    for one, other in [*pairs, *((i, j) for i, j, *_ in near_pairs(inspections, inspections))]:
        parent[root(other)] = root(one)
    roots = [root(at) for at in range(len(parent))]
    return np.unique(np.array(roots, np.int64), return_inverse=True)[1].astype(np.int64)


def write_training_set(path: Path, data: Dataset, samples: Sequence[Sample]) -> None:
    """Write a COCO file with some of the images of a data set, which stay where they are.

    Boxes that evaluation ignores become crowds.

    Raises:
        DataError: if it cannot be written.
    """
    images, annotations = [], list[dict[str, Any]]()
    for number, sample in enumerate(samples, start=1):
        height, width = sample.size
        entry = {"id": number, "file_name": str(sample.path.resolve()), "width": width, "height": height}
        images.append(entry)
        ground_truth = sample.ground_truth
        boxes = zip(
            ground_truth.class_id,
            xyxy_to_xywh(ground_truth.xyxy),
            ground_truth.crowd | ground_truth.difficult,
            strict=True,
        )
        annotations += [
            {
                "id": len(annotations) + at,
                "image_id": number,
                "category_id": int(class_id) + 1,
                "bbox": xywh.tolist(),
                "area": float(xywh[2] * xywh[3]),
                "iscrowd": int(ignored),
            }
            for at, (class_id, xywh, ignored) in enumerate(boxes, start=1)
        ]
    categories = [{"id": at, "name": name} for at, name in enumerate(data.class_names, start=1)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    atomic_write_text(path, json.dumps(document))
