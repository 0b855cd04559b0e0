"""CSV with one box per line, as tutorials, competitions and exporters write it.

The head says what the columns are: an image (``filename``, ``image_id``, ``path`` …), a class (``class``,
``label`` …), and a box as edges (``xmin ymin xmax ymax``, ``x1 y1 x2 y2``), as ``x y width height``, or in
one column (``bbox`` ``[x, y, w, h]`` of Global Wheat 2020, ``BoxesString`` ``x1 y1 x2 y2;…`` of 2021).
TensorFlow's tutorials, Roboflow's "TensorFlow CSV", VoTT's CSV, keras-retinanet (no head: path, x1, y1, x2,
y2, class; and a table of class and number) and Google AutoML (no head: set, path, class, corners as
fractions) are of this form. Edges are pixels from 0, or fractions if none in the file is above 1. A line
without edges says that the image shows no objects.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yolo_cli.datasets.forms.assembling import NAMELESS, Entry, Export, Shape, assemble, split_of
from yolo_cli.datasets.forms.form import Form
from yolo_cli.datasets.forms.tables import Line, first_line, read_table
from yolo_cli.datasets.forms.values import Corners, numbers, size_of, xywh
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.splits import split_called
from yolo_cli.files import find_files
from yolo_cli.images import SUFFIXES
from yolo_cli.text import number, shorten

__all__ = ["BOX_TABLE"]

_IMAGE = (
    "filename",
    "file_name",
    "image",
    "image_path",
    "path",
    "image_name",
    "image_id",
    "imageid",
    "img",
    "file",
)
_CLASS = ("class", "label", "class_name", "classname", "category", "category_name", "label_name", "name",
          "class_id", "category_id")  # fmt: skip
_SPLIT = ("split", "subset", "set")
_EDGES = (
    "xmin ymin xmax ymax",
    "x_min y_min x_max y_max",
    "x1 y1 x2 y2",
    "x0 y0 x1 y1",
    "left top right bottom",
)
_SIDES = ("x y w h", "x y width height", "left top width height", "xmin ymin width height",
          "bbox_x bbox_y bbox_width bbox_height", "x_min y_min width height")  # fmt: skip
_SETS = {"TRAIN": "train", "VALIDATION": "val", "TEST": "test"}  # AutoML


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table, from 0; -1 for one that it lacks.

    Attributes:
        box: four columns, or the one that holds the box as text.
        how: "edges", "sides" (x, y, width, height) or "list" (edges of several boxes).
        size: of the image's height and width, or ().
        head: whether the first line names the columns.
    """

    image: int
    name: int
    box: tuple[int, ...]
    how: str = "edges"
    split: int = -1
    size: tuple[int, ...] = ()
    head: bool = True


def _columns(first: Sequence[str]) -> _Columns | None:
    """The columns of a table with this first line, or None if it has no boxes."""
    heads = [field.lower().strip() for field in first]
    image = _first_of(_IMAGE, heads)
    box, how = _box_columns(heads)
    if image >= 0 and box:
        size = [heads.index(word) for word in ("height", "width") if word in heads]
        size = size if len(size) == 2 and not set(size) & set(box) else []
        return _Columns(image, _first_of(_CLASS, heads), box, how, _first_of(_SPLIT, heads), tuple(size))
    if len(first) == 6 and _is_image(first[0]) and _blank_or_numbers(first[1:5]):
        return _Columns(0, 5, (1, 2, 3, 4), head=False)
    if len(first) in (9, 11) and _is_image(first[1]) and _blank_or_numbers([first[i] for i in (3, 4, 7, 8)]):
        return _Columns(1, 2, (3, 4, 7, 8), split=0, head=False)
    return None


def _first_of(words: Sequence[str], heads: Sequence[str]) -> int:
    """The column of the first word that is a head, or -1."""
    return next((heads.index(word) for word in words if word in heads), -1)


def _box_columns(heads: Sequence[str]) -> tuple[tuple[int, ...], str]:
    """The columns of the box, and how they state it."""
    for sets, how in ((_EDGES, "edges"), (_SIDES, "sides")):
        for words in map(str.split, sets):
            if all(word in heads for word in words):
                return tuple(map(heads.index, words)), how
    if "bbox" in heads:
        return (heads.index("bbox"),), "sides"
    return ((heads.index("boxesstring"),), "list") if "boxesstring" in heads else ((), "")


def _is_image(text: str) -> bool:
    return text.lower().endswith(SUFFIXES)


def _blank_or_numbers(fields: Sequence[str]) -> bool:
    return not any(fields) or numbers(fields) is not None


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the tables of a folder."""
    entries = [entry for path in files for entry in _entries(path, root)]
    mapping = _class_numbers(root, files)
    occurring = {shape.name for entry in entries for shape in entry.shapes}
    if occurring and occurring <= mapping.keys():  # the boxes have the numbers
        for entry in entries:
            entry.shapes = [shape._replace(name=mapping[shape.name]) for shape in entry.shapes]
        occurring = {mapping[name] for name in occurring}
    names = tuple(mapping[key] for key in sorted(mapping, key=int))
    declared = names if occurring <= set(names) else ()
    return assemble(Export(root, "csv", entries, declared, lists_all=False), allow_unlabelled)


def _class_numbers(root: Path, files: Sequence[Path]) -> dict[str, str]:
    """The classes by number of keras-retinanet's table: lines with a class and a number."""
    for path in map(Path, find_files(root, (".csv",), recursive=False)):
        fields = first_line(path)
        if path not in files and len(fields) == 2 and fields[0] and fields[1].isdecimal():
            rows = [line.fields for line in read_table(path)]
            return {row[1]: row[0] for row in rows if len(row) == 2 and row[1].isdecimal()}
    return {}


def _entries(path: Path, root: Path) -> list[Entry]:
    """The images of one table."""
    lines = list(read_table(path))
    columns = _columns(lines[0].fields)
    if columns is None:
        return []
    usual = split_of(path, root, by_name=True)
    entries: dict[tuple[str, str], Entry] = {}
    for line in lines[1 if columns.head else 0 :]:
        row = _Line(line, columns)
        key = (row.split or usual, row.image)
        if key not in entries:
            entries[key] = Entry(row.image, path, key[0], size=row.size)
        _add(entries[key], row)
    found = list(entries.values())
    edges = [value for entry in found for shape in entry.shapes for value in shape.xyxy]
    fractions = bool(edges) and all(value <= 1 for value in edges)
    for entry in found:
        entry.fractions = fractions
    return found


class _Line:
    """One line of a table with its columns."""

    def __init__(self, line: Line, columns: _Columns) -> None:
        self._fields = line.fields
        self._columns = columns
        self.number = line.number

    def _field(self, column: int) -> str:
        return self._fields[column] if 0 <= column < len(self._fields) else ""

    @property
    def image(self) -> str:
        return self._field(self._columns.image)

    @property
    def split(self) -> str:
        word = self._field(self._columns.split)
        return _SETS.get(word) or split_called(word) or ""

    @property
    def name(self) -> str:
        return self._field(self._columns.name) if self._columns.name >= 0 else NAMELESS

    @property
    def size(self) -> tuple[int, int] | None:
        return size_of(*map(self._field, self._columns.size)) if self._columns.size else None

    @property
    def box(self) -> str:
        """The box as it is written, for messages."""
        return " ".join(map(self._field, self._columns.box)).strip()

    def corners(self) -> list[Corners | None]:
        """The boxes of the line; None for one that is not four numbers."""
        if self._columns.how == "list":
            return [_edges(part.split()) for part in self.box.split(";")]
        fields = list(map(self._field, self._columns.box))
        if len(fields) == 1:
            fields = re.split(r"[\s,]+", fields[0].strip("[]() "))
        return [_edges(fields) if self._columns.how == "edges" else xywh(fields)]


def _edges(fields: Sequence[str]) -> Corners | None:
    found = numbers(fields)
    return (found[0], found[1], found[2], found[3]) if found and len(found) == 4 else None


def _says_none(box: str) -> bool:
    """Whether the columns of a box say that there is no object."""
    values = [number(word) for word in box.split()]
    return box.lower() in ("", "no_box", "[]") or all(
        value is not None and math.isnan(value) for value in values
    )


def _add(entry: Entry, row: _Line) -> None:
    """Add the boxes of one line to its image."""
    if _says_none(row.box):
        return
    for corners in row.corners():
        if corners is None or not row.name:
            why = (
                "the row needs a class"
                if corners
                else f"the box is not four numbers: {shorten(row.box, 60)!r}"
            )
            entry.refused.append((row.number, why))
        else:
            entry.shapes.append(Shape(row.number, row.name, corners))


BOX_TABLE = Form("csv", "CSV", (".csv",), lambda path: _columns(first_line(path)) is not None, _read)
