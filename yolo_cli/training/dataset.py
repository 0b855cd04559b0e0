"""The part of a data set that a run uses."""

from __future__ import annotations

from yolo_cli.datasets import Dataset, read_dataset, usable_part
from yolo_cli.datasets.usable import Say
from yolo_cli.errors import DataError
from yolo_cli.training.job import TrainJob

__all__ = ["open_data", "require_boxes"]


def open_data(job: TrainJob, say: Say) -> Dataset:
    """Read the data set without unusable images, and report what was left out or repaired.

    Raises:
        DataError: if there is no data set, or it cannot be read.
    """
    side = max(job.config.imgsz or (416, 416))
    whole = read_dataset(job.data, allow_unlabelled=job.allow_unlabelled)
    return usable_part(whole, say, job.data, imgsz=side)


def require_boxes(data: Dataset) -> Dataset:
    """Check that a data set can be trained on, and return it.

    Raises:
        DataError: if no training image has a box.
    """
    if not any(len(sample.labels) for sample in data.samples):
        raise DataError(f"{data.location}: no image to train on has a box")
    return data
