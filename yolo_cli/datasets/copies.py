"""The label files of a fixed copy of a data set, with minimal changes.

Rows, annotations and objects with an unchanged box are copied verbatim, with everything besides the box:
polygons, attributes, scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.datasets.voc_xml import read_xml
from yolo_cli.datasets.yolo_description import description
from yolo_cli.text import read_json, read_text

__all__ = ["CopiedSample", "coco_labels", "voc_labels", "yolo_labels"]

LabelFiles = Iterator[tuple[str, str]]
"""Paths in the copy, with slashes, and the text of each."""


@dataclass(frozen=True, slots=True, eq=False)
class CopiedSample:
    """A sample of the copy.

    Attributes:
        sample: the original.
        file: the image's path in the copy, with slashes.
        size: height and width of the upright image in pixels.
        boxes: the kept boxes, by index; each with new edges (4,) in pixels, or None if unchanged.
        classes: the new class id of a kept box, by index.
        added: the class id and edges (4,) in pixels of each new box.
        keypoints: the new key points of all boxes in pixels, (N, K, 3); None if unchanged.
    """

    sample: Sample
    file: str
    size: tuple[int, int]
    boxes: Mapping[int, NDArray[np.float64] | None]
    classes: Mapping[int, int] = field(default_factory=dict)
    added: Sequence[tuple[int, NDArray[np.float64]]] = ()
    keypoints: NDArray[np.float64] | None = None


def yolo_labels(dataset: Dataset, copied: Sequence[CopiedSample]) -> LabelFiles:
    """``labels/SPLIT/*.txt`` and ``data.yaml``, or ``classes.txt`` if the data set is not split."""
    for entry in copied:
        path = PurePosixPath("labels", *PurePosixPath(entry.file).parts[1:]).with_suffix(".txt")
        yield str(path), "".join(line + "\n" for line in _yolo_lines(dataset, entry))
    splits = dict.fromkeys(entry.sample.split for entry in copied)
    if UNSPLIT in splits and not dataset.kpt_shape:
        yield "classes.txt", "".join(f"{name}\n" for name in dataset.class_names)
        return
    points = (dataset.kpt_shape, dataset.keypoint_names, dataset.flip_idx, dataset.skeleton)
    yield "data.yaml", description(splits, dataset.class_names, *points)


def _yolo_lines(dataset: Dataset, entry: CopiedSample) -> list[str]:
    """The lines of one label file."""
    lines = read_text(dataset.root / entry.sample.label).split("\n") if entry.boxes else []
    found = []
    for index, edges in entry.boxes.items():
        class_id, *rest = lines[entry.sample.rows[index] - 1].split()
        class_id = str(entry.classes.get(index, class_id))
        if edges is not None:
            points = rest[4:] if dataset.kpt_shape else []
            rest = [*_fractions(edges, entry.size), *points]
        found.append(" ".join([class_id, *rest]))
    return found + [" ".join([str(number), *_fractions(edges, entry.size)]) for number, edges in entry.added]


def _fractions(edges: NDArray[np.float64], size: tuple[int, int]) -> list[str]:
    """Centre, width and height of a box, as fractions of the image's size (height, width)."""
    height, width = size
    x1, y1, x2, y2 = edges / np.array([width, height, width, height])
    return [f"{value:.6f}" for value in ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)]


def coco_labels(dataset: Dataset, copied: Sequence[CopiedSample]) -> LabelFiles:
    """``annotations/instances_SPLIT.json``, or ``annotations.json`` if there is no split."""
    for split, group in groupby(copied, key=lambda entry: entry.sample.split):
        part = list(group)
        document = read_json(dataset.root / part[0].sample.label)
        listed = {image["id"]: image for image in reversed(document["images"]) if _has_id(image)}
        categories = _categories(dataset, document)
        parts = {
            "images": [_coco_image(listed[entry.sample.image_id], entry) for entry in part],
            "annotations": _coco_annotations(document, part, _category_ids(dataset, categories)),
            "categories": categories,
        }
        path = "annotations.json" if split == UNSPLIT else f"annotations/instances_{split}.json"
        yield path, json.dumps(document | parts, ensure_ascii=False)


def _coco_image(listed: Mapping[str, Any], entry: CopiedSample) -> dict[str, Any]:
    """The entry of an image with its actual name and size."""
    height, width = entry.size
    name = "/".join(PurePosixPath(entry.file).parts[1 if entry.sample.split == UNSPLIT else 2 :])
    return {**listed, "file_name": name, "width": width, "height": height}


def _coco_annotations(
    document: Mapping[str, Any], part: Sequence[CopiedSample], category_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """The annotations of the kept boxes, followed by those of new ones, with new ids."""
    kept = []
    for entry in part:
        for index, edges in entry.boxes.items():
            annotation = _coco_annotation(document["annotations"][entry.sample.rows[index]], edges)
            annotation["image_id"] = entry.sample.image_id  # one of several that the file may have
            if entry.keypoints is not None and "keypoints" in annotation:
                annotation["keypoints"] = entry.keypoints[index].ravel().tolist()
            if index in entry.classes:
                annotation["category_id"] = category_ids[entry.classes[index]]
            kept.append(annotation)
    added = [
        {
            "image_id": entry.sample.image_id,
            "category_id": category_ids[number],
            "iscrowd": 0,
            **_coco_box(edges),
        }
        for entry in part
        for number, edges in entry.added
    ]
    taken = [entry["id"] for entry in document["annotations"] if _has_id(entry)]
    free = max((number for number in taken if isinstance(number, int)), default=0) + 1
    return kept + [{"id": free + number} | entry for number, entry in enumerate(added)]


def _has_id(entry: Any) -> bool:
    """Whether an entry of an image has an id that samples can have."""
    return isinstance(entry, dict) and isinstance(entry.get("id"), (int, float, str))


def _coco_annotation(entry: Mapping[str, Any], edges: NDArray[np.float64] | None) -> dict[str, Any]:
    """An annotation, with a new box if there is one; its outline, which no longer fits, is then dropped."""
    if edges is None:
        return dict(entry)
    return {key: value for key, value in entry.items() if key != "segmentation"} | _coco_box(edges)


def _coco_box(edges: NDArray[np.float64]) -> dict[str, Any]:
    """COCO's keys of a box (4,) in pixels."""
    x1, y1, x2, y2 = (float(value) for value in edges)
    return {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}


def _category_ids(dataset: Dataset, categories: Sequence[Mapping[str, Any]]) -> list[int]:
    """The category id of each class id, in one file."""
    ids = {category["name"]: category["id"] for category in reversed(categories)}
    return [ids[name] for name in dataset.class_names]


def _categories(dataset: Dataset, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The categories of a file, followed by those that only other splits have, with new ids."""
    own = [dict(entry) for entry in document["categories"]]
    names = {entry["name"] for entry in own}
    missing = [name for name in dataset.class_names if name not in names]
    free = max((entry["id"] for entry in own), default=0) + 1
    return own + [{"id": free + i, "name": name} for i, name in enumerate(missing)]


def voc_labels(dataset: Dataset, copied: Sequence[CopiedSample]) -> LabelFiles:
    """``Annotations/*.xml`` and ``ImageSets/Main/SPLIT.txt``."""
    members: dict[str, list[str]] = {}
    for entry in copied:
        path = PurePosixPath(entry.file)
        xml = read_xml(dataset.root / entry.sample.label) if entry.sample.label else Element("annotation")
        tree = _voc_tree(xml, entry, dataset.class_names)
        yield f"Annotations/{path.stem}.xml", tostring(tree, encoding="unicode")
        members.setdefault(entry.sample.split, []).append(path.stem)
    for split in set(members) - {UNSPLIT}:
        yield f"ImageSets/Main/{split}.txt", "\n".join(members[split]) + "\n"
    yield "labels.txt", "\n".join(dataset.class_names) + "\n"


def _voc_tree(xml: Element, entry: CopiedSample, names: Sequence[str]) -> Element:
    """An annotation with the image's actual name and size, and the objects of the copy."""
    _set(xml, "filename", PurePosixPath(entry.file).name)
    size = xml.find("size")
    size = SubElement(xml, "size") if size is None else size
    for key, value in zip(("height", "width"), entry.size, strict=True):
        _set(size, key, str(value))
    kept = {entry.sample.rows[index]: index for index in entry.boxes}
    for row, element in enumerate(xml.findall("object"), start=1):
        if row not in kept or element.find("bndbox") is None:
            xml.remove(element)
            continue
        index = kept[row]
        if index in entry.classes:
            _set(element, "name", names[entry.classes[index]])
        _set_edges(element, entry.boxes[index])
    for class_id, edges in entry.added:
        element = SubElement(xml, "object")
        _set(element, "name", names[class_id])
        _set_edges(element, edges)
    indent(xml)
    return xml


def _set_edges(element: Element, edges: NDArray[np.float64] | None) -> None:
    """Give an object new edges (4,), in VOC's pixels, which are counted from 1; None changes nothing."""
    if edges is None:
        return
    box = element.find("bndbox")
    box = SubElement(element, "bndbox") if box is None else box
    x1, y1, x2, y2 = edges
    for key, value in (("xmin", x1 + 1), ("ymin", y1 + 1), ("xmax", x2), ("ymax", y2)):
        _set(box, key, f"{value:.6g}")


def _set(parent: Element, tag: str, text: str) -> None:
    """Give a child element, made if need be, a text."""
    child = parent.find(tag)
    (SubElement(parent, tag) if child is None else child).text = text
