"""One XML file of a VOC data set: its objects, and the size that it gives its image."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from yolo_cli.datasets.extras import Extra, Value, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.layout import place_of
from yolo_cli.errors import DataError
from yolo_cli.limits import read_file
from yolo_cli.text import decoded, number, shorten

__all__ = ["Thing", "objects_of", "read_xml", "size_of"]

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_ENCODING = re.compile(rb"""\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.-]{1,40})["']""")


class Thing(NamedTuple):
    """One ``object`` of an annotation: its index from 1, class name, corners from 1, ``difficult``."""

    row: int
    name: str
    corners: tuple[float, float, float, float]
    difficult: bool
    extra: Extra | None = None


def read_xml(path: Path, tag: str = "annotation") -> Element:
    """The root of an annotation file, which must have this tag.

    Entities are refused, as they could expand to fill the memory.

    Raises:
        DataError: if the file cannot be read, is not XML, holds entities, or is not an annotation.
    """
    try:
        root = fromstring(_text(read_file(path), str(path)))
    except OSError as fault:
        raise DataError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    except DefusedXmlException as fault:
        raise DataError(f"{path}: holds XML entities, which are refused; write it without a DTD") from fault
    except ParseError as fault:
        raise DataError(f"{path}:{fault.position[0]}: is not XML (cut short?): {fault.msg}") from fault
    except (ValueError, LookupError) as fault:
        raise DataError(f"{path}: is not XML: {shorten(fault)}") from fault
    if root.tag != tag:
        raise DataError(f"{path}: has no <{tag}> at its root, but {shorten(root.tag, 40)!r}")
    return root


def _text(data: bytes, name: str) -> str:
    """The text of an XML file in the encoding that it declares, whichever Python knows, else as `decoded`."""
    declared = _ENCODING.match(data)
    if declared is None:
        return decoded(data, name).lstrip()
    encoding = declared[1].decode()
    try:
        return decoded(data, name, encoding).lstrip()
    except LookupError:
        raise DataError(f"{name}: is not XML that can be read: no encoding is called {encoding}") from None
    except DataError:
        return decoded(data, name).lstrip()  # what the user says of an encoding declared wrongly, else UTF-8


def objects_of(xml: Element, where: str) -> tuple[tuple[Thing, ...], list[Finding]]:
    """The objects of an annotation, and findings for invalid ones."""
    objects, findings = [], []
    for row, element in enumerate(xml.findall("object"), start=1):
        name = (element.findtext("name") or "").strip()
        corners = _corners(element)
        code, what = _fault(element, name, corners)
        if code or corners is None:
            findings.append(Finding(code, place_of("voc", where, row), what))
        else:
            difficult = bool(number(element.findtext("difficult")))
            extra = Extra(attributes=_attributes(element)) if extras_wanted() else None
            objects.append(Thing(row, name, corners, difficult, extra))
    return tuple(objects), findings


def size_of(xml: Element) -> tuple[int, int] | None:
    """Height and width of the image according to its annotation, or None."""
    width, height = number(xml.findtext("size/width")), number(xml.findtext("size/height"))
    if width is None or height is None or not (abs(width) < 1e9 and abs(height) < 1e9):
        return None
    return int(height), int(width)


def _corners(element: Element) -> tuple[float, float, float, float] | None:
    """The four corners in an object's ``bndbox``; None if there is none, or one is not a number."""
    box = element.find("bndbox")
    texts = [None] * 4 if box is None else [box.findtext(corner) for corner in _CORNERS]
    values = [value for value in map(number, texts) if value is not None]
    return (values[0], values[1], values[2], values[3]) if len(values) == 4 else None


def _fault(element: Element, name: str, corners: tuple[float, float, float, float] | None) -> tuple[str, str]:
    """Code and description of what is wrong with an object; "" if nothing is."""
    angle = element.findtext("robndbox/angle")
    if corners is None and element.find("robndbox") is not None:
        return "Y208", f"the box is rotated by {shorten(angle, 20)} (robndbox of roLabelImg); give a bndbox"
    turns = {
        entry.findtext("name"): entry.findtext("value") for entry in element.findall("attributes/attribute")
    }
    if (number(turns.get("rotation")) or 0.0) % 360:
        return (
            "Y208",
            f"the box is rotated by {turns['rotation']} degrees, and bndbox is that before rotation",
        )
    if not name:
        return "Y204", "the object needs a name"
    return ("", "") if corners else ("Y204", "the object needs xmin, ymin, xmax, ymax in a bndbox")


def _attributes(element: Element) -> dict[str, Value]:
    """VOC's pose and flags where they are set, and the attributes that CVAT adds to an object."""
    found: dict[str, Value] = {}
    pose = element.findtext("pose") or "Unspecified"
    if pose != "Unspecified":
        found["pose"] = pose
    for flag in ("truncated", "occluded"):
        if number(element.findtext(flag)):
            found[flag] = True
    for entry in element.findall("attributes/attribute"):
        found[entry.findtext("name") or ""] = entry.findtext("value") or ""
    return found
