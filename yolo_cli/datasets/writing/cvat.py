"""Write CVAT form ("CVAT for images 1.1"): ``annotations.xml``, and images in ``images``.

``difficult`` and ``is_crowd`` are attributes, as Datumaro writes them. Splits are CVAT's subsets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from yolo_cli.datasets.extras import Value
from yolo_cli.datasets.sample import UNSPLIT
from yolo_cli.datasets.writing.content import Content, Entry, spanning_polygon
from yolo_cli.datasets.writing.exactly import number_text
from yolo_cli.datasets.writing.text import child, put_xml

__all__ = ["cvat_meta", "cvat_shape", "write_cvat"]

_BOX = ("xtl", "ytl", "xbr", "ybr")


def write_cvat(content: Content, folder: Path) -> None:
    """Write ``annotations.xml``."""
    root = Element("annotations")
    child(root, "version", "1.1")
    splits = [split for split in content.by_split if split != UNSPLIT]
    root.append(cvat_meta(content.class_names, splits, _values(content)))
    for index, entry in enumerate(content.entries):
        image = SubElement(root, "image", id=str(index), name=PurePosixPath(entry.file).name)
        if entry.split != UNSPLIT:
            image.set("subset", entry.split)
        image.set("width", str(entry.size[1]))
        image.set("height", str(entry.size[0]))
        for i, (class_id, edges, extra) in enumerate(entry.rows()):
            attributes = _attributes(entry, i)
            shape = cvat_shape(content.class_names[class_id], edges, spanning_polygon(edges, extra))
            shape.set("occluded", str(int(bool(attributes.pop("occluded", False)))))
            for name, value in attributes.items():
                child(shape, "attribute", _text(value)).set("name", name)
            image.append(shape)
    put_xml(folder, "annotations.xml", root)


def cvat_shape(
    label: str, edges: Sequence[float], polygon: Sequence[float] | None = None, source: str = "manual"
) -> Element:
    """A ``box``, or a ``polygon`` if one is given."""
    if polygon:
        pairs = zip(polygon[::2], polygon[1::2], strict=True)
        points = ";".join(f"{number_text(x)},{number_text(y)}" for x, y in pairs)
        return Element("polygon", label=label, source=source, occluded="0", points=points, z_order="0")
    corners: dict[str, Any] = dict(zip(_BOX, map(number_text, edges), strict=True))
    return Element("box", label=label, source=source, occluded="0", **corners, z_order="0")


def cvat_meta(
    class_names: Sequence[str],
    splits: Sequence[str] = (),
    attributes: Mapping[str, Mapping[str, set[Any]]] = MappingProxyType({}),
) -> Element:
    """The description of the task, or of the project with its subsets.

    Args:
        class_names: the labels.
        splits: the subsets; () for a task.
        attributes: for each label the values of each of its attributes.
    """
    meta = Element("meta")
    about = child(meta, "project" if splits else "task")
    subsets = child(about, "subsets") if splits else about
    for split in splits:
        child(subsets, "subset", split)
    labels = child(about, "labels")
    for name in class_names:
        label = child(labels, "label")
        child(label, "name", name)
        child(label, "type", "any")
        declared = child(label, "attributes")
        for attribute, values in attributes.get(name, {}).items():
            _declare(declared, attribute, values)
    return meta


def _attributes(entry: Entry, index: int) -> dict[str, Value]:
    """The attributes of a box, with its flags."""
    found = dict(entry.extras[index].attributes)
    flags = {"difficult": entry.boxes.difficult[index], "is_crowd": entry.boxes.crowd[index]}
    return found | {name: True for name, wanted in flags.items() if wanted}


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(content: Content) -> dict[str, dict[str, set[Any]]]:
    """For each class the values of each attribute that occurs."""
    found: dict[str, dict[str, set[Any]]] = {}
    for entry in content.entries:
        for i, class_id in enumerate(entry.boxes.class_id.tolist()):
            of_class = found.setdefault(content.class_names[class_id], {})
            for name, value in _attributes(entry, i).items():
                if name != "occluded":  # an attribute of the shape itself
                    of_class.setdefault(name, set()).add(value)
    return found


def _declare(parent: Element, name: str, values: set[Any]) -> None:
    """Describe an attribute: a checkbox if it is yes or no, else free text."""
    flag = all(isinstance(value, bool) for value in values)
    attribute = child(parent, "attribute")
    facts: Mapping[str, str] = {
        "name": name,
        "mutable": "False",
        "input_type": "checkbox" if flag else "text",
        "default_value": "false" if flag else "",
        "values": "false" if flag else "",
    }
    for tag, text in facts.items():
        child(attribute, tag, text)
