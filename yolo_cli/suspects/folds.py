"""Split a data set into folds, and write the images outside a fold as a data set to train on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yolo_cli.boxes import xyxy_to_xywh
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.datasets.converting.splitting import split_dataset
from yolo_cli.files import atomic_write_text

__all__ = ["folds_of", "write_training_set"]


def folds_of(data: Dataset, count: int, seed: int) -> list[tuple[Sample, ...]]:
    """The samples of each of ``count`` folds.

    Equal and nearly equal images are in one fold. Folds have about the same number of images, and of images
    with each class, as the splits of `split_dataset`.

    Raises:
        DataError: if there are fewer groups of different images than folds.
    """
    names = [f"fold{number}" for number in range(1, count + 1)]
    divided = split_dataset(data, dict.fromkeys(names, 1 / count), seed=seed).dataset
    fold = {sample.path: sample.split for sample in divided.samples}  # equal files are in one fold
    return [tuple(sample for sample in data.samples if fold[sample.path] == name) for name in names]


def write_training_set(path: Path, class_names: Sequence[str], samples: Sequence[Sample]) -> None:
    """Write a COCO file with some of the images of a data set, which stay where they are.

    Boxes that evaluation ignores become crowds.

    Raises:
        DataError: if it cannot be written.
    """
    images, annotations = [], list[dict[str, Any]]()
    for number, sample in enumerate(samples, start=1):
        height, width = sample.size
        place = str(sample.path.resolve())
        images.append({"id": number, "file_name": place, "width": width, "height": height})
        annotations += _annotations(sample, number, len(annotations) + 1)
    categories = [{"id": at, "name": name} for at, name in enumerate(class_names, start=1)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    atomic_write_text(path, json.dumps(document))


def _annotations(sample: Sample, image_id: int, first: int) -> list[dict[str, Any]]:
    """The boxes of one image, with ids from ``first``."""
    labels = sample.ground_truth
    rows = zip(labels.class_id, xyxy_to_xywh(labels.xyxy), labels.crowd | labels.difficult, strict=True)
    return [
        {
            "id": number,
            "image_id": image_id,
            "category_id": int(class_id) + 1,
            "bbox": xywh.tolist(),
            "area": float(xywh[2] * xywh[3]),
            "iscrowd": int(ignored),
        }
        for number, (class_id, xywh, ignored) in enumerate(rows, start=first)
    ]
