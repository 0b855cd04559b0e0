"""Supervisely: ``meta.json`` with the classes, and folders with ``ann/IMAGE.json`` and ``img/IMAGE``.

Coordinates are pixels, the last one included: a rectangle from 10 to 19 is 10 wide, edges 10 and 20
(``Rectangle.width`` in supervisely/geometry/rectangle.py). Polygons and lines become the box around their
points, and a bitmap that of its origin and the size of the PNG in it. The split is an image's tag (train,
val, test), else the name of its folder.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_cli.datasets.extras import Extra, Value, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble, split_of
from yolo_cli.datasets.forms.form import Form, matcher
from yolo_cli.datasets.forms.values import Corners, as_list, as_map, as_text, bounds, flat, pair, size_of
from yolo_cli.datasets.layout import below
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.splits import split_called
from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.text import read_json, shorten

__all__ = ["SUPERVISELY"]

Map = Mapping[str, Any]
_OUTLINED = ("rectangle", "polygon", "line", "polyline")


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read a project from its ``meta.json``, the first of the files."""
    meta = as_map(read_json(files[0]))
    titles = [as_text(as_map(entry).get("title")) for entry in as_list(meta.get("classes"))]
    names = tuple(dict.fromkeys(filter(None, titles)))
    entries, findings = [], []
    for path in _annotations(files[0].parent):
        try:
            entries.append(_entry(as_map(read_json(path)), path, root))
        except DataError as fault:
            findings.append(Finding("Y203", below(path, root), fault.text.replace(str(path), "the label")))
    export = Export(root, "supervisely", entries, names, tuple(findings), lists_all=False)
    return assemble(export, allow_unlabelled)


def _annotations(root: Path) -> Iterator[Path]:
    """The annotation files: those in folders called ``ann``."""
    return (path for path in map(Path, find_files(root, (".json",))) if path.parent.name == "ann")


def _entry(document: Map, path: Path, root: Path) -> Entry:
    """The image of one annotation file, ``cat.jpg.json`` (formerly ``cat.json``)."""
    size = as_map(document.get("size"))
    tags = [as_text(as_map(tag).get("name")) for tag in as_list(document.get("tags"))]
    split = next(filter(None, map(split_called, tags)), None) or split_of(path, root)
    file = f"../img/{path.stem}"
    entry = Entry(file, path, split, size=size_of(size.get("height"), size.get("width")))
    for row, thing in enumerate(map(as_map, as_list(document.get("objects"))), start=1):
        name, corners = as_text(thing.get("classTitle")), _corners(thing)
        if corners is None or not name:
            kind = shorten(repr(thing.get("geometryType")), 40)
            why = "the object has no class" if corners else f"an object of the geometry {kind} has no box"
            entry.refused.append((row, why))
        else:
            extra = _extra(thing) if extras_wanted() else None
            entry.shapes.append(Shape(row, name, corners, extra=extra))
    return entry


def _corners(thing: Map) -> Corners | None:
    """The box of an object, or None."""
    kind = thing.get("geometryType", "rectangle" if "points" in thing else "bitmap")
    if kind == "bitmap":
        return _bitmap(as_map(thing.get("bitmap")))
    box = bounds(_exterior(thing)) if kind in _OUTLINED else None
    return (box[0], box[1], box[2] + 1, box[3] + 1) if box else None


def _exterior(thing: Map) -> list[tuple[float, float]]:
    found = [pair(value) for value in as_list(as_map(thing.get("points")).get("exterior"))]
    return [] if None in found else [point for point in found if point is not None]


def _bitmap(bitmap: Map) -> Corners | None:
    """The box of a mask: its origin, and the size in the header of a PNG, compressed, in base64."""
    origin, data = pair(bitmap.get("origin")), as_text(bitmap.get("data"))
    try:
        head = zlib.decompressobj().decompress(base64.b64decode(data[:4096].encode()), 24)
    except (binascii.Error, zlib.error, ValueError):
        return None
    if origin is None or not head.startswith(b"\x89PNG") or len(head) < 24:
        return None
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    return origin[0], origin[1], origin[0] + width, origin[1] + height


def _extra(thing: Map) -> Extra:
    """Outline and tags of an object."""
    outline = (flat(_exterior(thing)),) if thing.get("geometryType") == "polygon" else ()
    attributes: dict[str, Value] = {}
    for tag in map(as_map, as_list(thing.get("tags"))):
        attributes[as_text(tag.get("name"))] = as_text(tag.get("value")) or True
    return Extra(outline, attributes=attributes)


_is_meta = matcher(r'"classes"\s*:\s*\[')


def _is_project(path: Path) -> bool:
    """Whether a file is the ``meta.json`` of a project: a folder beside it has ``ann``."""
    if path.name != "meta.json" or not _is_meta(path):
        return False
    return (path.parent / "ann").is_dir() or any(path.parent.glob("*/ann"))


SUPERVISELY = Form("supervisely", "Supervisely", (".json",), _is_project, _read, names=("meta.json",))
