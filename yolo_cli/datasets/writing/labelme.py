"""Write LabelMe form: a JSON file beside each image, and names in ``labels.txt`` for ``labelme --labels``.

``difficult`` and ``attributes`` of a shape are the keys of X-AnyLabeling, which LabelMe keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from yolo_cli.datasets.writing.content import Content, Entry, spanning_polygon
from yolo_cli.datasets.writing.text import put, put_json

__all__ = ["write_labelme"]

_VERSION = "5.5.0"  # of the format


def write_labelme(content: Content, folder: Path) -> None:
    """Write a JSON file for each image, and the class names."""
    for entry in content.entries:
        path = PurePosixPath(entry.file)
        document: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": _shapes(content, entry),
            "imagePath": path.name,
            "imageData": None,
            "imageHeight": entry.size[0],
            "imageWidth": entry.size[1],
        }
        put_json(folder, str(path.with_name(f"{entry.stem}.json")), document, 2)
    names = dict.fromkeys((*content.class_names, *content.keypoint_names))
    put(folder, "labels.txt", "".join(f"{name}\n" for name in names))


def _shapes(content: Content, entry: Entry) -> list[dict[str, Any]]:
    """The shapes of an image: rectangles, or polygons that span their box, with their key points."""
    shapes: list[dict[str, Any]] = []
    for i, (class_id, edges, extra) in enumerate(entry.rows()):
        polygon = spanning_polygon(edges, extra)
        crowd = {"is_crowd": True} if entry.boxes.crowd[i] else {}
        points = content.labelled_points(extra)
        group = i if points else None
        kind = "polygon" if polygon else "rectangle"
        shape = _shape(content.class_names[class_id], polygon or edges, kind, group)
        shape |= {"difficult": bool(entry.boxes.difficult[i]), "attributes": {**extra.attributes, **crowd}}
        shapes.append(shape)
        for name, (x, y, visibility) in points:
            shapes.append(_shape(name, (x, y), "point", group) | {"difficult": visibility == 1})
    return shapes


def _shape(label: str, values: Sequence[float], kind: str, group: int | None) -> dict[str, Any]:
    """A shape; those of one object have the same group."""
    return {
        "label": label,
        "points": _pairs(values),
        "group_id": group,
        "description": "",
        "shape_type": kind,
        "flags": {},
    }


def _pairs(values: Sequence[float]) -> list[list[float]]:
    """Points as pairs."""
    return [[x, y] for x, y in zip(values[::2], values[1::2], strict=True)]
