"""VGG Image Annotator 2 (and 1): project JSON, annotations JSON and CSV.

A region has ``shape_attributes`` in pixels: rect, circle, ellipse (``theta`` in radians), polygon, polyline
or point; a lone point has no box and is refused (robots.ox.ac.uk/~vgg/software/via). Its class is the region
attribute called class, label, name and so on, else the only one; an export without region attributes has one
class, "object". Options in the project give the order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_cli.datasets.extras import Extra, extras_wanted, plain_values
from yolo_cli.datasets.forms.assembling import NAMELESS, Entry, Export, Shape, assemble, split_of
from yolo_cli.datasets.forms.form import Form, matcher
from yolo_cli.datasets.forms.tables import read_table
from yolo_cli.datasets.forms.values import (
    Corners,
    as_list,
    as_map,
    as_text,
    bounds,
    ellipse,
    flat,
    numbers,
    xywh,
)
from yolo_cli.datasets.sample import Dataset
from yolo_cli.errors import DataError
from yolo_cli.text import read_json, shorten

__all__ = ["VIA"]

Map = Mapping[str, Any]
Images = list[tuple[str, list[Map]]]
_USUAL = ("class", "label", "name", "category", "type", "object", "class_name", "classname", "object_name")
_LINES = ("polygon", "polyline", "polyline_closed")


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the files of a folder."""
    entries: list[Entry] = []
    declared: list[str] = []
    for path in files:
        images, project = _csv_images(path) if path.suffix.lower() == ".csv" else _json_images(path)
        key = _class_key(project, (region for _, regions in images for region in regions), path)
        declared += as_map(as_map(project.get(key)).get("options"))
        entries += _entries(images, key, path, root)
    occurring = {shape.name for entry in entries for shape in entry.shapes}
    names = tuple(dict.fromkeys(declared)) if occurring <= set(declared) else ()
    return assemble(Export(root, "via", entries, names), allow_unlabelled)


def _json_images(path: Path) -> tuple[Images, Map]:
    """File name and regions of each image, and the region attributes that a project declares."""
    document = as_map(read_json(path))
    images = as_map(document.get("_via_img_metadata", document))
    listed = [(as_text(image.get("filename")), _maps(image.get("regions"))) for image in _maps(images)]
    return listed, as_map(as_map(document.get("_via_attributes")).get("region"))


def _maps(value: Any) -> list[Map]:
    return [as_map(item) for item in as_list(value)]


def _csv_images(path: Path) -> tuple[Images, Map]:
    """The same of a CSV, which has one line per region, and one for an image without any."""
    lines = read_table(path)
    header = [field.lstrip("#").lower() for field in next(lines).fields]
    images: dict[str, list[Map]] = {}
    for line in lines:
        row = dict(zip(header, line.fields, strict=False))
        regions = images.setdefault(row.get("filename", ""), [])
        keys = ("region_shape_attributes", "region_attributes")
        shape, attributes = (_parsed(row.get(key, "")) for key in keys)
        if shape != {}:
            regions.append({"shape_attributes": shape, "region_attributes": attributes})
    return list(images.items()), {}


def _parsed(text: str) -> Any:
    """The JSON in a field of a CSV; None if it is not JSON."""
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None


def _class_key(project: Map, regions: Iterable[Map], path: Path) -> str:
    """The region attribute that is the class; "" if there are no attributes."""
    keys = dict.fromkeys(project) or {
        key: None for region in regions for key in as_map(region.get("region_attributes"))
    }
    usual = {key.lower(): key for key in reversed(keys)}
    found = next((usual[word] for word in _USUAL if word in usual), None)
    if found is None and len(keys) > 1:
        listed = shorten(", ".join(keys), 80)
        raise DataError(
            f"{path}: its regions have the attributes {listed}; call the one for the class 'class'"
        )
    return found if found is not None else next(iter(keys), "")


def _entries(images: Images, key: str, path: Path, root: Path) -> Iterator[Entry]:
    """The images of a file; regions are numbered through it."""
    row = 0
    for file, regions in images:
        entry = Entry(file, path, split_of(path, root, by_name=True))
        for region in regions:
            row += 1
            attributes = as_map(region.get("region_attributes"))
            shape = as_map(region.get("shape_attributes"))
            name, corners = _class(attributes.get(key)) if key else NAMELESS, _corners(shape)
            if corners is None or not name:
                why = f"the region has no {shorten(key, 40)}" if corners else _no_box(shape)
                entry.refused.append((row, why))
            else:
                extra = _extra(shape, attributes, key) if extras_wanted() else None
                entry.shapes.append(Shape(row, name, corners, extra=extra))
        yield entry


def _class(value: Any) -> str:
    """A class name as text, or the one that is ticked; "" otherwise."""
    ticked = [name for name, on in as_map(value).items() if on is True]
    return ticked[0].strip() if len(ticked) == 1 else as_text(value)


def _no_box(shape: Map) -> str:
    return f"a region of the shape {shorten(repr(shape.get('name')), 40)} has no box that can be read"


def _corners(shape: Map) -> Corners | None:
    """The box of a region, or None."""
    kind = shape.get("name")
    if kind == "rect":
        return xywh(map(shape.get, ("x", "y", "width", "height")))
    if kind == "circle":
        found = numbers(map(shape.get, ("cx", "cy", "r", "r")))
        return ellipse((found[0], found[1]), found[2], found[3]) if found else None
    if kind == "ellipse":
        found = numbers((*map(shape.get, ("cx", "cy", "rx", "ry")), shape.get("theta", 0)))
        return ellipse((found[0], found[1]), found[2], found[3], found[4]) if found else None
    return bounds(_points(shape)) if kind in _LINES else None


def _points(shape: Map) -> list[tuple[float, float]]:
    """The points of a polygon; [] if they are not as many x as y, all numbers."""
    xs, ys = (numbers(as_list(shape.get(key))) or () for key in ("all_points_x", "all_points_y"))
    return list(zip(xs, ys, strict=True)) if len(xs) == len(ys) else []


def _extra(shape: Map, attributes: Map, key: str) -> Extra:
    """Outline and the other attributes of a region."""
    outline = (flat(_points(shape)),) if shape.get("name") == "polygon" else ()
    return Extra(outline, attributes={k: v for k, v in plain_values(attributes).items() if k != key})


_is_project = matcher(r'"_via_img_metadata"\s*:')
_is_export = matcher(r"\A\s*\{", r'"regions"\s*:', r'"(?:shape_attributes|file_attributes)"\s*:')
_is_csv = matcher(r"\A#?filename.*\bregion_shape_attributes\b")

VIA = Form(
    "via",
    "VIA",
    (".json", ".csv"),
    lambda path: _is_csv(path) if path.suffix.lower() == ".csv" else _is_project(path) or _is_export(path),
    _read,
)
