"""Open Images: ``train-annotations-bbox.csv`` and so on, with fractions ``XMin XMax YMin YMax``.

``LabelName`` is a code such as ``/m/01yrx``, whose name is in a CSV of class descriptions, a table of two
columns with or without a head; without one the codes are the names. ``IsGroupOf`` becomes crowd. Images are
found by ``ImageID``. An image without boxes is a negative if every class is verified to be absent: a row with
``Confidence`` 0 in ``train-annotations-human-imagelabels.csv``.
(storage.googleapis.com/openimages/web/download_v7.html; FiftyOne's layout, too.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from yolo_cli.datasets.extras import Extra, Value, extras_wanted
from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble, split_of
from yolo_cli.datasets.forms.form import Form
from yolo_cli.datasets.forms.tables import first_line, read_table
from yolo_cli.datasets.forms.values import numbers
from yolo_cli.datasets.sample import Dataset
from yolo_cli.files import find_files
from yolo_cli.text import number

__all__ = ["OPEN_IMAGES"]

_EDGES = ("XMin", "YMin", "XMax", "YMax")
_FLAGS = {
    "IsOccluded": "occluded",
    "IsTruncated": "truncated",
    "IsDepiction": "depiction",
    "IsInside": "inside",
}
_VERIFIED = "-annotations-human-imagelabels.csv"
_DESCRIPTIONS = ("class-descriptions", "class_descriptions", "classes.csv")


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the tables of boxes of a folder."""
    descriptions = dict(_descriptions(root))
    entries = [entry for path in files for entry in _entries(path, root, descriptions)]
    names = {shape.name for entry in entries for shape in entry.shapes}
    # Google's table has 600 classes, most of which a part of its images does not show.
    own = [name for code, name in descriptions.items() if code == name or name in names]
    declared = tuple(dict.fromkeys(own)) if names <= set(own) else ()
    entries += _negatives(root, entries, descriptions, set(declared or names))
    return assemble(Export(root, "openimages", entries, declared, lists_all=False), allow_unlabelled)


def _negatives(
    root: Path, entries: Sequence[Entry], descriptions: Mapping[str, str], names: set[str]
) -> Iterator[Entry]:
    """The images without boxes in which all classes are verified to be absent."""
    boxed = {entry.file for entry in entries}
    for path in (Path(path) for path in find_files(root, (_VERIFIED,))):
        absent: dict[str, set[str]] = {}
        split = split_of(path.with_name(path.name.removesuffix(_VERIFIED)), root, by_name=True)
        lines = read_table(path)
        header = next(lines).fields
        for line in lines:
            row = dict(zip(header, line.fields, strict=False))
            code = row.get("LabelName", "")
            if number(row.get("Confidence")) == 0:
                absent.setdefault(row.get("ImageID", ""), set()).add(descriptions.get(code, code))
        for image, found in absent.items():
            if image not in boxed and names <= found:
                yield Entry(image, path, split, fractions=True)


def _descriptions(root: Path) -> Iterator[tuple[str, str]]:
    """Code and name of each class, in the order of the table."""
    tables = (Path(path) for path in find_files(root, (".csv",)))
    for path in (path for path in tables if any(word in path.name.lower() for word in _DESCRIPTIONS)):
        for line in read_table(path):
            if len(line.fields) == 2 and all(line.fields) and line.fields[0] != "LabelName":
                yield line.fields[0], line.fields[1]


def _entries(path: Path, root: Path, descriptions: Mapping[str, str]) -> Iterator[Entry]:
    """The images of one table, in the order of their first lines."""
    split = split_of(path, root, by_name=True)
    entries: dict[str, Entry] = {}
    lines = read_table(path)
    header = next(lines).fields
    for line in lines:
        row = dict(zip(header, line.fields, strict=False))
        image = row.get("ImageID", "")
        entry = entries.get(image)
        if entry is None:
            entry = entries[image] = Entry(image, path, split, fractions=True)
        edges, name = numbers(row.get(edge) for edge in _EDGES), row.get("LabelName", "")
        if edges and name:
            corners = (edges[0], edges[1], edges[2], edges[3])
            crowd = row.get("IsGroupOf") in ("1", "1.0", "True", "true")
            extra = _extra(row) if extras_wanted() else None
            name = descriptions.get(name, name)
            entry.shapes.append(Shape(line.number, name, corners, crowd=crowd, extra=extra))
        else:
            entry.refused.append((line.number, "the row needs a LabelName and XMin, XMax, YMin, YMax"))
    yield from entries.values()


def _extra(row: Mapping[str, str]) -> Extra:
    """The flags that are set; -1 means that nobody looked."""
    flags: dict[str, Value] = {name: True for flag, name in _FLAGS.items() if row.get(flag) == "1"}
    return Extra(attributes=flags)


def _matches(path: Path) -> bool:
    return {"ImageID", "LabelName", *_EDGES} <= set(first_line(path))


OPEN_IMAGES = Form("openimages", "Open Images", (".csv",), _matches, _read, overrules=("csv",))
