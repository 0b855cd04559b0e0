"""CreateML: one JSON file for all images, a list of ``{"image": …, "annotations": […]}``.

``coordinates`` are a box's centre, width and height in pixels of the upright image
(developer.apple.com/documentation/createml, "Building an object detector data source"; Roboflow's
``_annotations.createml.json``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble, split_of
from yolo_cli.datasets.forms.form import Form, matcher
from yolo_cli.datasets.forms.values import Corners, as_list, as_map, as_text, numbers
from yolo_cli.datasets.sample import Dataset
from yolo_cli.text import read_json

__all__ = ["CREATEML"]


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the files of a folder."""
    entries = [entry for path in files for entry in _entries(path, root)]
    return assemble(Export(root, "createml", entries), allow_unlabelled)


def _entries(path: Path, root: Path) -> Iterator[Entry]:
    """The images of a file; annotations are numbered through it."""
    row = 0
    for image in map(as_map, as_list(read_json(path))):
        named = as_text(image.get("image")) or as_text(image.get("imagefilename"))
        entry = Entry(named, path, split_of(path, root, by_name=True))
        for annotation in map(as_map, as_list(image.get("annotations"))):
            row += 1
            name, corners = as_text(annotation.get("label")), _corners(annotation.get("coordinates"))
            if corners and name:
                entry.shapes.append(Shape(row, name, corners))
            else:
                entry.refused.append((row, "an annotation needs a label, and x, y, width, height"))
        yield entry


def _corners(value: object) -> Corners | None:
    """The edges of a box given by its centre and size."""
    found = numbers(map(as_map(value).get, ("x", "y", "width", "height")))
    if found is None:
        return None
    x, y, width, height = found
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


_has_parts = matcher(r"\A\s*\[", r'"(?:image|imagefilename)"\s*:\s*"', r'"annotations"\s*:\s*\[')
_has_boxes = matcher(r'"coordinates"\s*:\s*\{')

CREATEML = Form("createml", "CreateML", (".json",), lambda path: _has_parts(path) and _has_boxes(path), _read)
