"""Outcomes → one Parquet file: a row an image; docs/scale.md describes its columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from yolo_cli.files import atomic_write
from yolo_cli.pipeline import Outcome

__all__ = ["write_part"]


def write_part(path: Path, outcomes: Iterable[Outcome], about: Mapping[str, Any]) -> dict[str, int]:
    """Write a file atomically: it is there as a whole, or not at all.

    Args:
        path: the file; one that is there is replaced.
        outcomes: in order.
        about: the run's model and options, with ``class_names``; for the file's metadata.

    Returns:
        The numbers of ``images``, ``failed`` ones among them, and ``objects``.

    Raises:
        DataError: if it cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    names = about["class_names"]
    rows = [_row(outcome, names) for outcome in outcomes]
    metadata = {"yolo_cli": json.dumps(about, ensure_ascii=False)}
    table = pa.Table.from_pylist(rows, _schema().with_metadata(metadata))
    atomic_write(path, lambda draft: parquet.write_table(table, draft, compression="zstd"))
    failed = sum(row["error"] is not None for row in rows)
    return {"images": len(rows), "failed": failed, "objects": sum(len(row["class_id"]) for row in rows)}


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("image", pa.string(), nullable=False),
            pa.field("width", pa.int32()),
            pa.field("height", pa.int32()),
            pa.field("class_id", pa.list_(pa.int32()), nullable=False),
            pa.field("class_name", pa.list_(pa.string()), nullable=False),
            pa.field("confidence", pa.list_(pa.float32()), nullable=False),
            pa.field("box", pa.list_(pa.list_(pa.float32(), 4)), nullable=False),
            pa.field("error", pa.string()),
        ]
    )


def _row(outcome: Outcome, names: tuple[str, ...]) -> dict[str, Any]:
    found, image = outcome.detections, outcome.image
    classes = found.class_id.tolist()
    return {
        "image": outcome.name,
        "width": None if image is None else image.width,
        "height": None if image is None else image.height,
        "class_id": classes,
        "class_name": [names[number] for number in classes],
        "confidence": found.confidence.tolist(),
        "box": found.xyxy.tolist(),
        "error": outcome.error,
    }
