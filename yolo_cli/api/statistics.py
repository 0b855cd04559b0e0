"""What a data set consists of: `dataset_stats`."""

from __future__ import annotations

import os
from pathlib import Path

from yolo_cli.datasets import Dataset, open_dataset
from yolo_cli.datasets.statistics import DatasetStats, statistics

__all__ = ["dataset_stats"]


def dataset_stats(
    data: str | os.PathLike[str] | Dataset,
    *,
    allow_unlabelled: bool = False,
    page: str | os.PathLike[str] | None = None,
) -> DatasetStats:
    """Count images, boxes, their sizes, classes by split, and classes that occur together.

    Args:
        data: the data set's folder, data.yaml or COCO .json.
        allow_unlabelled: whether an image without a label file is one without objects; for a path only.
        page: write an HTML page with plots to this file.

    Raises:
        UserError: if there is no data set, no image can be read, or the page cannot be written.
    """
    dataset = data if isinstance(data, Dataset) else open_dataset(data, allow_unlabelled=allow_unlabelled)
    stats = statistics(dataset)
    if page is not None:
        from yolo_cli.report.dataset_page import write_dataset_page

        write_dataset_page(Path(page), stats)
    return stats
