"""Write Parquet files that Hugging Face's ``datasets`` loads, with the images in them.

The schema is that of its object detection sets, such as cppe-5: ``image``, ``image_id``, ``width``,
``height``, and ``objects`` with ``bbox`` (x, y, width, height in pixels) and ``category``.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from yolo_cli.datasets.writing.content import Content, Entry, xywh
from yolo_cli.datasets.writing.openimages import long_split
from yolo_cli.errors import UsageError
from yolo_cli.files import make_folder

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["write_parquet"]

_GROUP = 100  # images of a row group, as Hugging Face writes image sets


def write_parquet(content: Content, folder: Path) -> None:
    """Write a file for each split, with a hundred images in memory at a time.

    Raises:
        UsageError: if pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise UsageError("--to parquet: needs pyarrow; run: pip install 'yolo-cli[parquet]'") from None
    schema = _schema(content)
    for split, entries in content.by_split.items():
        path = make_folder(folder / "data") / f"{long_split(split)}-00000-of-00001.parquet"
        with ParquetWriter(path, schema, compression="none") as writer:  # images are compressed already
            for start in range(0, len(entries), _GROUP):
                rows = [_row(entry) for entry in entries[start : start + _GROUP]]
                writer.write_table(pa.Table.from_pylist(rows, schema))


def _row(entry: Entry) -> dict[str, Any]:
    """The row of an image."""
    boxes = entry.boxes
    own = [extra.annotation_id for extra in entry.extras]
    return {
        "image": {"bytes": entry.data(), "path": PurePosixPath(entry.file).name},
        "image_id": entry.image_id,
        "width": entry.size[1],
        "height": entry.size[0],
        "objects": {
            "id": [number if isinstance(number, int) else None for number in own],
            "area": boxes.area.tolist(),
            "bbox": [xywh(entry, i) for i in range(len(boxes))],
            "category": boxes.class_id.tolist(),
            "iscrowd": boxes.crowd.tolist(),
            "difficult": boxes.difficult.tolist(),
        },
    }


def _schema(content: Content) -> pa.Schema:
    """Arrow's types, and Hugging Face's features with the class names in the metadata."""
    import pyarrow as pa

    parts = {
        "id": (pa.int64(), "int64"),
        "area": (pa.float64(), "float64"),
        "bbox": (pa.list_(pa.float64(), 4), ""),
        "category": (pa.int64(), ""),
        "iscrowd": (pa.bool_(), "bool"),
        "difficult": (pa.bool_(), "bool"),
    }
    features = {name: _several(_value(dtype)) for name, (_, dtype) in parts.items()}
    features["bbox"] = _several(_several(_value("float64"), 4))
    features["category"] = _several({"names": list(content.class_names), "_type": "ClassLabel"})
    numbers = ("image_id", "width", "height")
    described = {"image": {"_type": "Image"}, **dict.fromkeys(numbers, _value("int64")), "objects": features}
    return pa.schema(
        [
            ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            *((name, pa.int64()) for name in numbers),
            ("objects", pa.struct([(name, pa.list_(kind)) for name, (kind, _) in parts.items()])),
        ],
        metadata={"huggingface": json.dumps({"info": {"features": described}})},
    )


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}


def _several(feature: dict[str, Any], length: int = -1) -> dict[str, Any]:
    return {"feature": feature, "length": length, "_type": "Sequence"}
