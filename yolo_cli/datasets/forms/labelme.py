"""LabelMe: one JSON file per image, beside it (also of AnyLabeling and X-AnyLabeling).

``shapes`` have a ``label``, a ``shape_type`` and ``points`` in pixels of the upright image. A rectangle is
two opposite corners, a circle its centre and a point on it, a mask the corners of its box with the last pixel
in it (labelme/utils/shape.py). Lines and polygons become the box around their points. A rotated rectangle has
no upright box that was drawn, and is refused. Shapes with one label and ``group_id`` are parts of one object
(``shapes_to_label``). Points with the ``group_id`` of one shape with a box are its key points; a lone
point has no box and is refused. A ``labels.txt`` as for ``labelme --labels`` gives the order of classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from yolo_cli.datasets.extras import Extra, Point, extras_wanted, plain_values
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble, by_name, split_of, with_flags
from yolo_cli.datasets.forms.form import Form, matcher
from yolo_cli.datasets.forms.values import (
    Corners,
    as_list,
    as_map,
    as_text,
    bounds,
    circle,
    flat,
    pair,
    size_of,
)
from yolo_cli.datasets.layout import below
from yolo_cli.datasets.sample import Dataset
from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.images import SUFFIXES
from yolo_cli.text import read_json, read_lines, shorten

__all__ = ["LABELME"]

_LINES = ("polygon", "line", "linestrip", "polyline", "points")
_ROTATED = ("rotation", "oriented_rectangle", "rotated_rectangle")
_NO_CLASSES = ("__ignore__", "_background_")  # of labelme's own examples of labels.txt


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the LabelMe files of a folder; other JSON files among them are passed over."""
    entries, findings = [], []
    stems = {Path(path).with_suffix("") for path in find_files(root, SUFFIXES)}
    for path in files:
        where = below(path, root)
        try:
            document = as_map(read_json(path))
        except DataError as fault:
            findings.append(Finding("Y203", where, fault.text.replace(str(path), "the label")))
            continue
        if isinstance(document.get("shapes"), list):
            entries.append(_entry(document, path, root))
        elif path.with_suffix("") in stems:
            findings.append(Finding("Y203", where, "the label has no list of shapes"))
    names, points = _declared(root, entries)
    export = Export(root, "labelme", entries, names, tuple(findings), False, points)
    return assemble(export, allow_unlabelled)


def _declared(root: Path, entries: Sequence[Entry]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes and the key points in ``labels.txt``, or ().

    A name that no shape has is a class, but a key point among these if they all follow the classes.
    """
    path = root / "labels.txt"
    lines = read_lines(path) if path.is_file() else []
    names = [line for line in lines if line and line not in _NO_CLASSES]
    shapes = [shape for entry in entries for shape in entry.shapes]
    points = {name for shape in shapes for name in shape.keypoints}
    used = {shape.name for shape in shapes}
    last = max((at for at, name in enumerate(names) if name in used), default=-1)
    first = min((at for at, name in enumerate(names) if name in points - used), default=len(names))
    marks = points | (set(names[first:]) if last < first else set())
    return tuple(name for name in names if name not in marks - used), tuple(filter(marks.__contains__, names))


def _entry(document: Mapping[str, Any], path: Path, root: Path) -> Entry:
    """The image of one file. Where ``imagePath`` names none, the file's own name does."""
    named = as_text(document.get("imagePath")) or path.stem
    size = size_of(document.get("imageHeight"), document.get("imageWidth"))
    hint = (
        "; save the image that is inside the JSON (imageData) beside it" if document.get("imageData") else ""
    )
    entry = Entry(named, path, split_of(path, root), size=size, own_name=path.stem, hint=hint)
    found = [as_map(value) for value in as_list(document["shapes"])]
    keypoints = _keypoints(found)
    used = {id(point) for group in keypoints.values() for point in group}
    parts: dict[tuple[str, str], Shape] = {}
    for row, shape in enumerate(found, start=1):
        if id(shape) in used:
            continue
        name, corners, group = as_text(shape.get("label")), _corners(shape), _group(shape)
        if isinstance(corners, str) or not name:
            entry.refused.append((row, corners if isinstance(corners, str) else "the shape has no label"))
            continue
        points = by_name(map(_named_point, keypoints.get(group, ())))
        extra = _extra(shape, grouped=bool(points)) if extras_wanted() else None
        part = Shape(row, name, corners, False, shape.get("difficult") is True, extra, points)
        part = with_flags(part, as_map(shape.get("attributes")))
        key = (name, group or f"row {row}")
        parts[key] = _joined(parts[key], part) if key in parts else part
    entry.shapes += parts.values()
    return entry


def _joined(first: Shape, part: Shape) -> Shape:
    """An object with one more part."""
    a, b = first.xyxy, part.xyxy
    box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    extra = first.extra
    if extra and part.extra:
        extra = replace(extra, polygons=extra.polygons + part.extra.polygons)
    return first._replace(xyxy=box, extra=extra)


def _group(shape: Mapping[str, Any]) -> str:
    return as_text(shape.get("group_id"))


def _keypoints(shapes: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The points of each group that has exactly one other shape."""
    others = Counter(_group(shape) for shape in shapes if shape.get("shape_type") != "point")
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for shape in shapes:
        group = _group(shape)
        if shape.get("shape_type") == "point" and group and others[group] == 1 and _points(shape):
            groups.setdefault(group, []).append(shape)
    return groups


def _named_point(shape: Mapping[str, Any]) -> tuple[str, Point]:
    """The name and place of a point; X-AnyLabeling marks a hidden one as difficult."""
    [(x, y), *_] = _points(shape)
    return as_text(shape.get("label")) or "point", (x, y, 1.0 if shape.get("difficult") is True else 2.0)


def _points(shape: Mapping[str, Any]) -> list[tuple[float, float]]:
    """The points of a shape; [] if one of them is not a pair of numbers."""
    found = [pair(value) for value in as_list(shape.get("points"))]
    return [] if None in found else [point for point in found if point is not None]


def _corners(shape: Mapping[str, Any]) -> Corners | str:
    """The box of a shape, or why it has none."""
    kind, points = shape.get("shape_type") or "polygon", _points(shape)
    if kind in _ROTATED:
        return f"a rotated box ({kind}) is not read; draw an upright one"
    if kind == "circle" and len(points) == 2:
        return circle(*points)
    box = bounds(points)
    if kind == "point" or box is None:
        return f"the shape ({shorten(kind, 40)}) has no box: it needs two points or more, pairs of numbers"
    if kind == "mask" and len(points) == 2:
        return box[0], box[1], box[2] + 1, box[3] + 1
    if kind in _LINES or (kind == "rectangle" and len(points) in (2, 4)):
        return box
    return f"shapes of the type {shorten(repr(kind), 40)} with {len(points)} points are not read"


def _extra(shape: Mapping[str, Any], *, grouped: bool) -> Extra:
    """The outline and flags of a shape; what ``grouped`` it with its key points is none of its flags."""
    outline = (flat(_points(shape)),) if shape.get("shape_type") in (None, *_LINES[:1]) else ()
    flags = {key: value for key, value in _attributes(shape) if key != "group_id" or not grouped}
    return Extra(outline, attributes=flags)


def _attributes(shape: Mapping[str, Any]) -> Iterator[tuple[str, str | int | float | bool]]:
    """Flags, X-AnyLabeling's attributes, description and group of a shape."""
    yield from plain_values(shape.get("flags")).items()
    yield from plain_values(shape.get("attributes")).items()
    for key in ("description", "group_id"):
        if as_text(shape.get(key)):
            yield key, shape[key]


LABELME = Form(
    "labelme",
    "LabelMe",
    (".json",),
    matcher(r'"shapes"\s*:\s*\[', r'"(?:version|flags|imagePath|imageHeight)"\s*:'),
    _read,
    recursive=True,
)
