"""Write Label Studio form: ``tasks.json`` to import, ``label_config.xml`` for the project, and images.

Images are addressed as files of local storage below the data set's folder, which is what
``LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`` has to name. Coordinates are percent of the image's size.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

from yolo_cli.datasets.writing.content import Content, spanning_polygon
from yolo_cli.datasets.writing.exactly import exact, rounded
from yolo_cli.datasets.writing.text import put_json, put_xml

__all__ = ["image_url", "point", "region", "write_label_studio"]

_POINT = 0.5  # the size at which a key point is drawn, percent of the image's width


def write_label_studio(content: Content, folder: Path) -> None:
    """Write the tasks and the labelling configuration."""
    tasks = []
    for index, entry in enumerate(content.entries, start=1):
        result = []
        for i, (class_id, edges, extra) in enumerate(entry.rows(), start=1):
            own = extra.annotation_id or f"{index}-{i}"
            polygon = spanning_polygon(edges, extra)
            result.append(region(own, content.class_names[class_id], edges, entry.size, polygon))
            result += [point(own, *each, entry.size) for each in content.labelled_points(extra)]
        annotation = {"id": index, "result": result}
        tasks.append({"id": index, "data": {"image": image_url(entry.file)}, "annotations": [annotation]})
    put_json(folder, "tasks.json", tasks, 1)
    put_xml(folder, "label_config.xml", _config(content))


def image_url(file: str) -> str:
    """The address of an image in Label Studio's local storage; its name need not be UTF-8."""
    return f"/data/local-files/?d={quote(os.fsencode(file))}"


def region(
    region_id: int | str,
    label: str,
    edges: Sequence[float],
    size: tuple[int, int],
    polygon: Sequence[float] | None = None,
) -> dict[str, Any]:
    """A rectangle, or a polygon if one is given, in percent of an image's height and width ``size``."""
    height, width = size
    scale = (100 / width, 100 / height)
    kind = "polygon" if polygon else "rectangle"
    if polygon:
        pairs = zip(polygon[::2], polygon[1::2], strict=True)
        value: dict[str, Any] = {"points": [[rounded(x * scale[0]), rounded(y * scale[1])] for x, y in pairs]}
    else:
        (x, w), (y, h) = (_start_and_side(edges[i], edges[i + 2], (width, height)[i]) for i in (0, 1))
        value = {"x": x, "y": y, "width": w, "height": h, "rotation": 0}
    return _result(str(region_id), kind, label, value, size)


def point(region_id: int | str, name: str, at: Sequence[float], size: tuple[int, int]) -> dict[str, Any]:
    """A key point of a region, at x and y pixels of an image's height and width ``size``."""
    x, y = (rounded(at[i] / length * 100) for i, length in enumerate((size[1], size[0])))
    value = {"x": x, "y": y, "width": _POINT}
    return _result(f"{region_id}-{name}", "keypoint", name, value, size) | {"parentID": str(region_id)}


def _result(
    result_id: str, kind: str, label: str, value: dict[str, Any], size: tuple[int, int]
) -> dict[str, Any]:
    """One result of a task: a labelled region of the image, which the control ``kind`` draws."""
    return {
        "id": result_id,
        "type": f"{kind}labels",
        "from_name": kind,
        "to_name": "image",
        "original_width": size[1],
        "original_height": size[0],
        "image_rotation": 0,
        "value": value | {f"{kind}labels": [label]},
    }


def _start_and_side(low: float, high: float, length: int) -> tuple[float, ...]:
    """Start and side of a box along one axis, in percent of the image's length."""

    def back(start: float, side: float) -> tuple[float, float]:
        return start / 100 * length, (start + side) / 100 * length

    return exact((low, high), (low / length * 100, (high - low) / length * 100), back)


def _config(content: Content) -> Element:
    """The labelling configuration: rectangles, and polygons and key points if there are any."""
    extras = [extra for entry in content.entries for extra in entry.extras]
    labels = {"Rectangle": list(content.class_names)}
    if any(extra.polygons for extra in extras):
        labels["Polygon"] = labels["Rectangle"]
    marked = dict.fromkeys(name for extra in extras for name, _ in content.labelled_points(extra))
    if marked:
        labels["KeyPoint"] = list(content.keypoint_names or marked)
    view = Element("View")
    SubElement(view, "Image", name="image", value="$image")
    for kind, names in labels.items():
        control = SubElement(view, f"{kind}Labels", name=kind.lower(), toName="image")
        for name in names:
            SubElement(control, "Label", value=name)
    return view
