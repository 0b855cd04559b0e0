"""Detect the form of a data set, and read it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from yolo_cli.datasets.coco import annotation_files, read_coco
from yolo_cli.datasets.extras import keeping_extras
from yolo_cli.datasets.layout import plain
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.splits import split_called
from yolo_cli.datasets.voc import has_voc, read_voc
from yolo_cli.datasets.yolo import read_yolo
from yolo_cli.datasets.yolo_layout import descriptions
from yolo_cli.errors import DataError
from yolo_cli.text import text_encoding

__all__ = ["open_dataset", "read_dataset"]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One possible form of a path: its name, the evidence for it, and a function to read it."""

    form: str
    sign: Path
    read: Callable[[], Dataset]


def open_dataset(
    path: str | os.PathLike[str],
    *,
    allow_unlabelled: bool = False,
    encoding: str | None = None,
    extras: bool = False,
) -> Dataset:
    """Read a data set in YOLO, COCO or VOC form from its folder or from the file that describes it.

    It is never written to. Unusable rows and images are left out, and listed in ``findings``. Images are
    opened lazily, when they or (for YOLO) their sizes are needed.

    Args:
        path: the folder, or a ``data.yaml``, a ``.data`` file or a COCO ``.json``.
        allow_unlabelled: treat images without a label file as images without objects.
        encoding: encoding of its text files; None means UTF-8, or UTF-16 with a byte-order mark.
        extras: keep polygons, key points, attributes and ids, too.

    Raises:
        DataError: if there is no data set, its form is ambiguous, or nothing in it can be used.
        UsageError: if the encoding is unknown.
    """
    with text_encoding(encoding) if encoding else nullcontext():
        dataset = read_dataset(path, allow_unlabelled=allow_unlabelled, extras=extras)
    if not dataset.samples:
        first = dataset.findings[0] if dataset.findings else None
        why = f"; first: {first.where}: {first.what}" if first else ""
        raise DataError(f"{path}: has no image that can be used ({len(dataset.findings)} faults{why})")
    return dataset


def read_dataset(
    path: str | os.PathLike[str], *, allow_unlabelled: bool = False, extras: bool = False
) -> Dataset:
    """Like :func:`open_dataset`, but the result may be empty, with the reasons in its findings.

    Raises:
        DataError: if there is no data set, its form is ambiguous, or its description is broken.
    """
    try:
        with keeping_extras(extras):
            return _read(plain(path), path, allow_unlabelled)
    except OSError as fault:
        raise DataError(f"{fault.filename or path}: cannot be read: {fault.strerror or fault}") from fault


def _read(place: Path, path: str | os.PathLike[str], allow_unlabelled: bool) -> Dataset:
    """Read the data set at a place whose form must be unambiguous; ``path`` is its name for messages."""
    if place.is_file():
        return _of_file(place, allow_unlabelled)
    if not place.is_dir():
        raise DataError(f"{path}: no such file or folder; --data needs the path of a data set")
    readings = _of_part(place, allow_unlabelled) or _readings(place, allow_unlabelled)
    if not readings:  # an archive often has an extra top-level folder
        subs = [sub for sub in sorted(place.iterdir()) if sub.is_dir() and not sub.name.startswith(".")]
        readings = [reading for sub in subs for reading in _readings(sub, allow_unlabelled)]
    if not readings:
        raise DataError(
            f"{path}: has no data set: neither data.yaml or images/ with labels/ (YOLO), nor a .json with "
            f"images and annotations (COCO), nor Annotations/*.xml (VOC)"
        )
    if len(readings) > 1:
        both = " or ".join(f"{reading.form} ({reading.sign})" for reading in readings)
        raise DataError(f"{path}: can be read as {both}; name one of these with --data")
    return readings[0].read()


def _of_file(path: Path, allow_unlabelled: bool) -> Dataset:
    """Read the data set that a file describes, by its suffix."""
    if path.suffix in (".yaml", ".yml", ".data"):
        return read_yolo(path, allow_unlabelled)
    if path.suffix == ".json":
        inside = path.parent.name.lower() == "annotations" or split_called(path.parent.name)
        return read_coco([path], path.parent.parent if inside else path.parent)
    raise DataError(f"{path}: is not a data set; give its folder, its data.yaml or its COCO .json")


def _readings(folder: Path, allow_unlabelled: bool) -> list[_Reading]:
    """The possible forms of a folder."""
    readings = [
        _Reading(
            "YOLO", sign if sign != folder else folder / "labels", partial(read_yolo, sign, allow_unlabelled)
        )
        for sign in descriptions(folder)
    ]
    files = annotation_files(folder)
    if files:
        readings.append(_Reading("COCO", files[0], partial(read_coco, files, folder)))
    if has_voc(folder):
        sign = folder / "Annotations" if (folder / "Annotations").is_dir() else folder
        readings.append(_Reading("VOC", sign, partial(read_voc, folder, allow_unlabelled)))
    return readings


def _of_part(folder: Path, allow_unlabelled: bool) -> list[_Reading]:
    """The form of a folder that is a part of a data set, ``labels`` or ``Annotations``."""
    root, name = folder.parent, folder.name.lower()
    if name == "labels" and (root / "images").is_dir():
        return [_Reading("YOLO", folder, partial(read_yolo, root, allow_unlabelled))]
    if name != "annotations":
        return []
    if has_voc(folder) and any((root / images).is_dir() for images in ("JPEGImages", "images")):
        return [_Reading("VOC", folder, partial(read_voc, root, allow_unlabelled))]
    files = annotation_files(folder)
    return [_Reading("COCO", files[0], partial(read_coco, files, root))] if files else []
