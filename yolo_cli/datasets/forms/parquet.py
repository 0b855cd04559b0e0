"""Hugging Face's parquet: columns ``image`` (bytes and path) and ``objects`` (bbox, category).

The images are unpacked into a temporary folder. Class names are those of the features that Hugging Face
writes into the file's metadata; without them, categories are their numbers. The split is in the name of the
file: ``data/train-00000-of-00001.parquet``. It needs pyarrow, the extra ``parquet``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from yolo_cli.datasets.forms.assembling import Entry, Export, assemble, split_of
from yolo_cli.datasets.forms.form import Form, head_of
from yolo_cli.datasets.forms.hugging_face import class_label, fill
from yolo_cli.datasets.forms.values import as_map, as_text, size_of
from yolo_cli.datasets.layout import below
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.scratch import scratch_folder
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import make_folder
from yolo_cli.headers import read_header
from yolo_cli.images import SUFFIXES
from yolo_cli.text import fixed_slashes

__all__ = ["PARQUET"]

_BATCH = 16  # rows, whose images are in memory
_COLUMNS = ("image", "objects", "width", "height")
_SHARD = re.compile(r"-\d+-of-\d+$")
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WebP": ".webp", "BMP": ".bmp", "TIFF": ".tif", "GIF": ".gif"}


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the tables of a folder; names are relative to the folder that their images are unpacked to."""
    entries: list[Entry] = []
    names: dict[str, None] = {}
    unpacked = scratch_folder(files[0], root.name)
    for path in files:
        table = _open(path)
        own = class_label(_features(table))
        names |= dict.fromkeys(own)
        split = split_of(path.with_name(_SHARD.sub("", path.stem)), root, by_name=True)
        label = unpacked / below(path, root)
        for row, values in enumerate(_rows(table, path), start=1):
            file = _unpack(as_map(values.get("image")), unpacked / split, f"{path.stem}_{row:06d}")
            size = size_of(values.get("height"), values.get("width"))
            entry = Entry(below(file, label.parent) if file else f"row {row}", label, split, size=size)
            fill(entry, values.get("objects"), row, own)
            entries.append(entry)
    dataset = assemble(Export(unpacked, "parquet", entries, tuple(names)), allow_unlabelled)
    return replace(dataset, archive=root)


def _open(path: Path) -> Any:
    """The table in a file.

    Raises:
        UsageError: if pyarrow is not installed.
        DataError: if the file is not parquet, or has no boxes.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError(f"{path}: needs pyarrow; pip install 'yolo-cli[parquet]'") from None
    try:
        table = parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as fault:
        raise DataError(f"{path}: is not a parquet file (cut short?): {str(fault)[:120]}") from fault
    if not {"image", "objects"} <= set(table.schema_arrow.names):
        raise DataError(f"{path}: has no boxes: it needs the columns image and objects")
    return table


def _features(table: Any) -> Any:
    """Hugging Face's description of the columns, or None."""
    try:
        return json.loads((table.schema_arrow.metadata or {}).get(b"huggingface", b"null"))
    except (ValueError, RecursionError):
        return None


def _rows(table: Any, path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a table, a few at a time."""
    import pyarrow as pa

    columns = [name for name in table.schema_arrow.names if name in _COLUMNS]
    try:
        for batch in table.iter_batches(_BATCH, columns=columns):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as fault:
        raise DataError(f"{path}: cannot be read: {str(fault)[:120]}") from fault


def _unpack(image: Any, folder: Path, otherwise: str) -> Path | None:
    """Write the image of a row, unless that was done before; None if it has none that can be read."""
    data = image.get("bytes")
    if not isinstance(data, bytes):
        return None
    try:
        suffix = _SUFFIXES.get(read_header(data, otherwise).kind, ".pnm")
    except DataError:
        suffix = ".jpg"  # a damaged image, which is reported when it is decoded
    named = os.path.basename(fixed_slashes(as_text(image.get("path"))))  # noqa: PTH119 - any text, not a path
    stem = named if named.lower().endswith(SUFFIXES) and len(named) < 200 else ""
    target = make_folder(folder) / (stem.lstrip(".").replace("\0", "") or otherwise + suffix)
    if target.exists() and target.read_bytes() != data:
        target = folder / f"{otherwise}_{target.name}"
    target.write_bytes(data)
    return target


PARQUET = Form("parquet", "Parquet", (".parquet",), lambda path: head_of(path).startswith(b"PAR1"), _read)
