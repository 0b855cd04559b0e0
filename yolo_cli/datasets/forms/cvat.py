"""CVAT for images 1.1: one ``annotations.xml`` for all images (docs.cvat.ai, "CVAT for images").

A box has its edges ``xtl ytl xbr ybr`` in pixels, a polygon or polyline its ``points``, a mask the box that
its run lengths fill; points and skeletons become the box around their points that are not ``outside``, as in
CVAT's own COCO export. ``rotation`` other than 0 is refused, as are cuboids. Classes are those of ``meta``,
in its order, without the parts of skeletons; the split is the image's ``subset``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from yolo_cli.datasets.extras import NOT_LABELLED, Extra, Point, Value, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble, by_name, split_of, with_flags
from yolo_cli.datasets.forms.form import Form, matcher
from yolo_cli.datasets.forms.values import Corners, bounds, ellipse, flat, numbers, size_of, xywh
from yolo_cli.datasets.layout import below
from yolo_cli.datasets.sample import Dataset
from yolo_cli.datasets.splits import split_called
from yolo_cli.datasets.voc_xml import read_xml
from yolo_cli.errors import DataError
from yolo_cli.text import number

__all__ = ["CVAT"]

_POINTS = ("polygon", "polyline", "points")
_SHAPES = ("box", "ellipse", "mask", "skeleton", "cuboid", *_POINTS)


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the XML files of a folder; the classes are those of all, in the order of the first."""
    entries: list[Entry] = []
    findings: list[Finding] = []
    names: dict[str, None] = {}
    points: dict[str, None] = {}
    for path in files:
        try:
            xml = read_xml(path, "annotations")
        except DataError as fault:
            findings.append(Finding("Y203", below(path, root), fault.text.replace(str(path), "the label")))
            continue
        if xml.find("track") is not None:
            raise DataError(
                f"{path}: is an export of a video; export it as 'CVAT for images 1.1', with images"
            )
        names |= dict.fromkeys(_declared(xml, parts=False))
        points |= dict.fromkeys(_declared(xml, parts=True))
        entries += _entries(xml, path, root)
    export = Export(root, "cvat", entries, tuple(names), tuple(findings), keypoint_names=tuple(points))
    return assemble(export, allow_unlabelled)


def _declared(xml: Element, *, parts: bool) -> Iterator[str]:
    """The classes that ``meta`` declares, or the parts of their skeletons."""
    for label in xml.iterfind("meta//labels/label"):
        name = (label.findtext("name") or "").strip()
        if name and parts == bool((label.findtext("parent") or "").strip()):
            yield name


def _entries(xml: Element, path: Path, root: Path) -> Iterator[Entry]:
    """The images of a file; objects are numbered through the file."""
    row = 0
    for image in xml.iterfind("image"):
        subset = image.get("subset") or ""
        split = (split_called(subset) or subset) if subset and subset.lower() != "default" else ""
        size = size_of(image.get("height"), image.get("width"))
        named = (image.get("name") or "").strip()
        split = split or split_of(path, root, by_name=True)
        entry = Entry(named, path, split, size=size)
        for element in image:
            if element.tag in _SHAPES:
                row += 1
                _add(entry, element, row)
        yield entry


def _add(entry: Entry, element: Element, row: int) -> None:
    """Add one shape to its image."""
    name, corners = (element.get("label") or "").strip(), _corners(element)
    if isinstance(corners, str) or not name:
        entry.refused.append((row, corners if isinstance(corners, str) else "the shape has no label"))
    else:
        extra = _extra(element) if extras_wanted() else None
        shape = Shape(row, name, corners, extra=extra, keypoints=_keypoints(element))
        entry.shapes.append(with_flags(shape, _attributes(element)))


def _corners(element: Element) -> Corners | str:
    """The box of a shape, or why it has none."""
    turned = number(element.get("rotation"))
    if turned and element.tag != "ellipse":
        return f"a box turned by {turned:g} degrees is not read; draw an upright box"
    return _box(element, turned or 0.0) or f"the {element.tag} has no box that can be read"


def _box(element: Element, turned: float) -> Corners | None:
    """The box of a shape by its kind; None if its numbers are missing."""
    if element.tag == "box":
        found = numbers(map(element.get, ("xtl", "ytl", "xbr", "ybr")))
        return (found[0], found[1], found[2], found[3]) if found else None
    if element.tag == "mask":
        return xywh(map(element.get, ("left", "top", "width", "height")))
    if element.tag == "ellipse":
        found = numbers(map(element.get, ("cx", "cy", "rx", "ry")))
        return ellipse((found[0], found[1]), found[2], found[3], math.radians(turned)) if found else None
    if element.tag == "skeleton":
        seen = [
            points for point in _joints(element) if point.get("outside") != "1" for points in _points(point)
        ]
        return bounds(seen)
    return bounds(_points(element)) if element.tag in _POINTS else None


def _joints(skeleton: Element) -> list[Element]:
    """The points of a skeleton."""
    return skeleton.findall("points")


def _points(element: Element) -> list[tuple[float, float]]:
    """``points="x1,y1;x2,y2"``; [] if one of them is not two numbers."""
    found = [numbers(part.split(",")) for part in (element.get("points") or "").split(";")]
    good = [(point[0], point[1]) for point in found if point and len(point) == 2]
    return good if len(good) == len(found) else []


def _extra(element: Element) -> Extra:
    """Outline and attributes of a shape."""
    outline = (flat(_points(element)),) if element.tag == "polygon" else ()
    attributes = _attributes(element) | ({"occluded": True} if element.get("occluded") == "1" else {})
    return Extra(outline, attributes=attributes)


def _keypoints(skeleton: Element) -> dict[str, Point]:
    """The points of a skeleton by their names."""
    return by_name(
        ((joint.get("label") or "").strip() or "point", _point(joint, *at))
        for joint in _joints(skeleton)
        for at in _points(joint)[:1]
    )


def _point(joint: Element, x: float, y: float) -> Point:
    """A key point; outside the image, it is not labelled."""
    if joint.get("outside") == "1":
        return NOT_LABELLED
    return x, y, 1.0 if joint.get("occluded") == "1" else 2.0


def _attributes(element: Element) -> dict[str, Value]:
    """The named attributes of a shape, as text."""
    return {entry.get("name") or "": (entry.text or "").strip() for entry in element.iterfind("attribute")}


CVAT = Form("cvat", "CVAT", (".xml",), matcher(r"<annotations[\s>]"), _read)
