"""Write the label files of a copy of a data set, changing only what must change.

Rows, annotations and objects whose box stays are written as they were, with all that stands beside the box:
polygons, attributes, scores.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
import yaml
from numpy.typing import NDArray

from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.datasets.text import read_json, read_text
from yolo_cli.datasets.voc import read_xml

__all__ = ["CopiedSample", "write_coco_copy", "write_voc_copy", "write_yolo_copy"]


@dataclass(frozen=True, slots=True, eq=False)
class CopiedSample:
    """A sample as it goes into the copy.

    Attributes:
        sample: as it is in the original.
        file: the image's path in the copy, with slashes.
        size: width and height of the upright image in pixels.
        boxes: the boxes that stay, by index; each with new edges (4,) in pixels, or None for the old ones.
    """

    sample: Sample
    file: str
    size: tuple[int, int]
    boxes: Mapping[int, NDArray[np.float64] | None]


def write_yolo_copy(dataset: Dataset, copied: Sequence[CopiedSample], out: Path) -> None:
    """Write ``labels/SPLIT/*.txt`` and ``data.yaml``, or ``classes.txt`` where the data set is not split."""
    for thing in copied:
        path = out / PurePosixPath("labels", *PurePosixPath(thing.file).parts[1:]).with_suffix(".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in _yolo_lines(dataset, thing)), encoding="utf-8")
    splits = dict.fromkeys(thing.sample.split for thing in copied)
    if UNSPLIT in splits:
        (out / "classes.txt").write_text(
            "".join(f"{name}\n" for name in dataset.class_names), encoding="utf-8"
        )
        return
    keys = {split: f"images/{split}" for split in splits} | {"names": dict(enumerate(dataset.class_names))}
    text = yaml.safe_dump(keys, sort_keys=False, allow_unicode=True)
    (out / "data.yaml").write_text(text, encoding="utf-8")


def _yolo_lines(dataset: Dataset, thing: CopiedSample) -> list[str]:
    """The lines of one label file."""
    if not thing.boxes:
        return []
    lines = read_text(dataset.root / thing.sample.label).split("\n")
    width, height = thing.size
    found = []
    for index, edges in thing.boxes.items():
        line = " ".join(lines[thing.sample.rows[index] - 1].split())
        if edges is not None:
            x1, y1, x2, y2 = edges / np.array([width, height, width, height])
            centre_and_size = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
            line = " ".join([line.split()[0], *(f"{value:.6f}" for value in centre_and_size)])
        found.append(line)
    return found


def write_coco_copy(dataset: Dataset, copied: Sequence[CopiedSample], out: Path) -> None:
    """Write ``annotations/instances_SPLIT.json``, or ``annotations.json`` where there is no split."""
    for split, group in groupby(copied, key=lambda thing: thing.sample.split):
        things = list(group)
        whole = read_json(dataset.root / things[0].sample.label)
        entries = {entry["id"]: entry for entry in reversed(whole["images"]) if _has_id(entry)}
        images, annotations = [], []
        for thing in things:
            width, height = thing.size
            name = "/".join(PurePosixPath(thing.file).parts[1 if split == UNSPLIT else 2 :])
            images.append(
                entries[thing.sample.image_id] | {"file_name": name, "width": width, "height": height}
            )
            annotations += [
                _coco_annotation(whole["annotations"][thing.sample.rows[index]], edges)
                for index, edges in thing.boxes.items()
            ]
        parts = {"images": images, "annotations": annotations, "categories": _categories(dataset, whole)}
        path = out / ("annotations.json" if split == UNSPLIT else f"annotations/instances_{split}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(whole | parts, ensure_ascii=False), encoding="utf-8")


def _has_id(entry: Any) -> bool:
    """Whether an entry of an image has an id that samples can have."""
    return isinstance(entry, dict) and isinstance(entry.get("id"), (int, str))


def _coco_annotation(entry: Mapping[str, Any], edges: NDArray[np.float64] | None) -> dict[str, Any]:
    """An annotation, with a new box if there is one; an outline would no longer fit it and goes."""
    if edges is None:
        return dict(entry)
    x1, y1, x2, y2 = (float(value) for value in edges)
    rest = {key: value for key, value in entry.items() if key != "segmentation"}
    return rest | {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}


def _categories(dataset: Dataset, whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The categories of a file, and after them those that only other splits have, under new ids."""
    own = [dict(entry) for entry in whole["categories"]]
    names = {entry["name"] for entry in own}
    missing = [name for name in dataset.class_names if name not in names]
    free = max((entry["id"] for entry in own), default=0) + 1
    return own + [{"id": free + i, "name": name} for i, name in enumerate(missing)]


def write_voc_copy(dataset: Dataset, copied: Sequence[CopiedSample], out: Path) -> None:
    """Write ``Annotations/*.xml`` and ``ImageSets/Main/SPLIT.txt``."""
    members: dict[str, list[str]] = {}
    (out / "Annotations").mkdir(parents=True, exist_ok=True)
    for thing in copied:
        path = PurePosixPath(thing.file)
        xml = read_xml(dataset.root / thing.sample.label) if thing.sample.label else Element("annotation")
        tree = _voc_tree(xml, thing)
        (out / "Annotations" / f"{path.stem}.xml").write_bytes(tostring(tree, encoding="utf-8"))
        members.setdefault(thing.sample.split, []).append(path.stem)
    for split in set(members) - {UNSPLIT}:
        lists = out / "ImageSets" / "Main"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / f"{split}.txt").write_text("\n".join(members[split]) + "\n", encoding="utf-8")
    (out / "labels.txt").write_text("\n".join(dataset.class_names) + "\n", encoding="utf-8")


def _voc_tree(xml: Element, thing: CopiedSample) -> Element:
    """An annotation with the image's own name and size, without the objects that go."""
    _set(xml, "filename", PurePosixPath(thing.file).name)
    size = xml.find("size")
    size = SubElement(xml, "size") if size is None else size
    for key, value in zip(("width", "height"), thing.size, strict=True):
        _set(size, key, str(value))
    kept = {thing.sample.rows[index]: edges for index, edges in thing.boxes.items()}
    for row, element in enumerate(xml.findall("object"), start=1):
        box = element.find("bndbox")
        if row not in kept or box is None:
            xml.remove(element)
            continue
        edges = kept[row]
        if edges is not None:
            x1, y1, x2, y2 = edges
            for key, value in (("xmin", x1 + 1), ("ymin", y1 + 1), ("xmax", x2), ("ymax", y2)):
                _set(box, key, f"{value:.6g}")
    indent(xml)
    return xml


def _set(parent: Element, tag: str, text: str) -> None:
    """Give a child element, made if need be, a text."""
    child = parent.find(tag)
    (SubElement(parent, tag) if child is None else child).text = text
