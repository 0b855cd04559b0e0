"""The part of a data set that a run uses."""

from __future__ import annotations

from collections.abc import Callable

from yolo_cli.datasets import Dataset, lint
from yolo_cli.errors import DataError
from yolo_cli.training.job import TrainJob

__all__ = ["open_data", "require_boxes"]


def open_data(job: TrainJob, say: Callable[[str], None]) -> Dataset:
    """Read the data set without unusable images, and report what was left out.

    Raises:
        DataError: if there is no data set, or it cannot be read.
    """
    side = max(job.config.imgsz or (416, 416))
    report = lint(job.data, imgsz=side, allow_unlabelled=job.allow_unlabelled)
    if report.errors:
        first = report.errors[0]
        more = f" and {len(report.errors) - 1} more" if len(report.errors) > 1 else ""
        say(f"left out: {first.where}: {first.what}{more}; `yolo lint --data {job.data}` lists them")
    return report.usable


def require_boxes(data: Dataset) -> Dataset:
    """Check that a data set can be trained on, and return it.

    Raises:
        DataError: if no training image has a box.
    """
    if not any(len(sample.labels) for sample in data.samples):
        raise DataError(f"{data.root}: no image to train on has a box")
    return data
