"""Write Pascal VOC form: ``Annotations/*.xml``, ``ImageSets/Main/SPLIT.txt`` and the class names.

These are in ``labels.txt``, and in ``labelmap.txt`` for CVAT and Datumaro.

VOC counts pixels from 1 and includes the last one: left x1 becomes ``xmin = x1 + 1``, right x2 ``xmax = x2``,
as `yolo_cli.datasets.voc` reads them. Whole pixels are written whole; fractions are kept, as in VOC 2012
itself. A box of at most one pixel would have ``xmax <= xmin``, which readers take for a fault; it is written
two pixels wide or high.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

from yolo_cli.datasets.extras import Value
from yolo_cli.datasets.sample import UNSPLIT
from yolo_cli.datasets.writing.content import Content, Entry
from yolo_cli.datasets.writing.exactly import exact, number_text
from yolo_cli.datasets.writing.text import child, put, put_xml

__all__ = ["too_thin", "write_voc"]


def write_voc(content: Content, folder: Path) -> None:
    """Write an XML file for each image, a list for each split, and the class names."""
    for entry in content.entries:
        put_xml(folder, f"Annotations/{entry.stem}.xml", _annotation(content, entry))
    for split, entries in content.by_split.items():
        if split != UNSPLIT:
            put(folder, f"ImageSets/Main/{split}.txt", "".join(f"{entry.stem}\n" for entry in entries))
    put(folder, "labels.txt", "".join(f"{name}\n" for name in content.class_names))
    colours = "".join(f"{name}:::\n" for name in content.class_names)
    put(folder, "labelmap.txt", f"# label:color_rgb:parts:actions\n{colours}")


def too_thin(edges: Sequence[float]) -> bool:
    """Whether a box is at most one pixel wide or high."""
    return edges[2] - edges[0] <= 1 or edges[3] - edges[1] <= 1


def _annotation(content: Content, entry: Entry) -> Element:
    """The annotation of an image."""
    root = Element("annotation")
    child(root, "filename", PurePosixPath(entry.file).name)
    size = child(root, "size")
    for tag, length in (("width", entry.size[1]), ("height", entry.size[0]), ("depth", 3)):
        child(size, tag, length)
    for (class_id, edges, extra), difficult in zip(entry.rows(), entry.boxes.difficult.tolist(), strict=True):
        element = child(root, "object")
        child(element, "name", content.class_names[class_id])
        child(element, "pose", extra.attributes.get("pose", "Unspecified"))
        for flag in ("truncated", "occluded"):
            child(element, flag, int(bool(extra.attributes.get(flag))))
        child(element, "difficult", int(difficult))
        _attributes(element, extra.attributes)
        box = child(element, "bndbox")
        for tag, value in _corners(edges):
            child(box, tag, number_text(value))
    return root


def _attributes(element: Element, attributes: Mapping[str, Value]) -> None:
    """Other attributes, as CVAT writes them."""
    others = {key: v for key, v in attributes.items() if key not in ("pose", "truncated", "occluded")}
    parent = child(element, "attributes") if others else element
    for name, value in others.items():
        entry = child(parent, "attribute")
        child(entry, "name", name)
        child(entry, "value", value)


def _corners(edges: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Name and value of each corner, from 1 and inclusive."""
    x1, y1, x2, y2 = edges
    for name, low in (("xmin", x1), ("ymin", y1)):
        [value] = exact((low,), (low + 1,), lambda value: (value - 1,))
        yield name, value
    yield from (("xmax", x2 if x2 - x1 > 1 else x1 + 2), ("ymax", y2 if y2 - y1 > 1 else y1 + 2))
