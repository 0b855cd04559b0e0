"""Open Images: ``train-annotations-bbox.csv`` and so on, with fractions ``XMin XMax YMin YMax``.

``LabelName`` is a code such as ``/m/01yrx``, whose name is in a CSV of class descriptions, a table of two
columns with or without a head; without one the codes are the names. ``IsGroupOf`` becomes crowd. Images are
found by ``ImageID``. (storage.googleapis.com/openimages/web/download_v7.html; FiftyOne's layout, too.)
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

__all__ = ["OPEN_IMAGES"]

_EDGES = ("XMin", "YMin", "XMax", "YMax")
_FLAGS = ("IsOccluded", "IsTruncated", "IsDepiction", "IsInside")
_DESCRIPTIONS = ("class-descriptions", "class_descriptions", "classes.csv")


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the tables of boxes of a folder."""
    descriptions = dict(_descriptions(root))
    entries = [entry for path in files for entry in _entries(path, root, descriptions)]
    names = {shape.name for entry in entries for shape in entry.shapes}
    order = tuple(name for name in dict.fromkeys(descriptions.values()) if name in names)
    declared = order if len(order) == len(names) else ()
    return assemble(Export(root, "openimages", entries, declared, lists_all=False), allow_unlabelled)


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
    """The flags of a box; -1 means that nobody looked."""
    flags: dict[str, Value] = {flag: row[flag] == "1" for flag in _FLAGS if row.get(flag) in ("0", "1")}
    return Extra(attributes=flags)


def _matches(path: Path) -> bool:
    return {"ImageID", "LabelName", *_EDGES} <= set(first_line(path))


OPEN_IMAGES = Form("openimages", "Open Images", (".csv",), _matches, _read, overrules=("csv",))
