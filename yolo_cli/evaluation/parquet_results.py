"""Detections in the Parquet files of `yolo detect --ray`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yolo_cli.detections import Detections
from yolo_cli.errors import DataError, UsageError

if TYPE_CHECKING:
    from yolo_cli.datasets import Sample

__all__ = ["is_parquet", "parquet_class_names", "read_parquet_results"]

_COLUMNS = ["image", "class_id", "confidence", "box"]


def is_parquet(path: Path) -> bool:
    """Whether a folder holds the files of such a run."""
    return path.is_dir() and next(path.glob("part-*.parquet"), None) is not None


def parquet_class_names(path: Path) -> tuple[str, ...]:
    """The class names of the model that made the files.

    Raises:
        DataError: if the first file does not say them.
    """
    file = _open(min(path.glob("part-*.parquet")))
    try:
        return tuple(json.loads(file.schema_arrow.metadata[b"yolo_cli"])["class_names"])
    except (TypeError, KeyError, ValueError):
        raise DataError(f"{path}: does not say its class names; give them with --names") from None


def read_parquet_results(path: Path, samples: Sequence[Sample], classes: int) -> dict[str, Detections]:
    """The detections of each image that is evaluated, by its name; rows of other images are skipped.

    Args:
        path: the folder.
        samples: the images; each is found by its path, else by its file name if that is the only one.
        classes: number of classes.

    Raises:
        DataError: if a file is broken, or no row belongs to the images.
    """
    by_path = {os.path.realpath(sample.path): sample.name for sample in samples}
    by_name: dict[str, str | None] = {}
    for sample in samples:
        by_name[sample.path.name] = None if sample.path.name in by_name else sample.name
    found: dict[str, Detections] = {}
    for row in _rows(path):
        name = by_path.get(os.path.realpath(row["image"])) or by_name.get(Path(row["image"]).name)
        if name is not None:
            found[name] = _detections(row, classes, path)
    if not found:
        raise DataError(f"{path}: has no row of an image of the data, such as {samples[0].path.name}")
    return {sample.name: found.get(sample.name, Detections()) for sample in samples}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of all files, some at a time."""
    for part in sorted(path.glob("part-*.parquet")):
        for batch in _open(part).iter_batches(1000, columns=_COLUMNS):
            yield from batch.to_pylist()


def _open(part: Path) -> Any:
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UsageError(f"{part}: needs pyarrow; pip install 'yolo-cli[parquet]'") from None
    try:
        file = ParquetFile(part)
    except (pa.ArrowException, OSError) as fault:
        raise DataError(f"{part}: is not a Parquet file that can be read ({str(fault)[:80]})") from None
    if not set(_COLUMNS) <= set(file.schema_arrow.names):
        raise DataError(f"{part}: needs the columns {', '.join(_COLUMNS)}")
    return file


def _detections(row: dict[str, Any], classes: int, path: Path) -> Detections:
    boxes = np.array(row["box"], np.float32).reshape(-1, 4)  # (N, 4)
    class_id = np.array(row["class_id"], np.int64)  # (N,)
    if len(class_id) and not 0 <= class_id.min() <= class_id.max() < classes:
        raise DataError(f"{path}: {row['image']}: has a class id that is not one of the {classes} classes")
    return Detections(boxes, np.array(row["confidence"], np.float32), class_id)
