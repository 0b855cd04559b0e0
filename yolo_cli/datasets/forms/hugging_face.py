"""Hugging Face's ``imagefolder``: ``metadata.jsonl`` with ``file_name`` and ``objects``, beside the images.

``objects`` is ``{"bbox": [[x, y, w, h], …], "category": […]}`` in pixels, or a list of such objects, as the
guide to object detection has it (huggingface.co/docs/datasets/object_detection). Numbers of categories are
named by the ``class_label`` in the front matter of ``README.md``, where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_cli.datasets.extras import Extra, extras_wanted
from yolo_cli.datasets.findings import Finding
from yolo_cli.datasets.forms.assembling import Entry, Export, Shape, assemble, split_of
from yolo_cli.datasets.forms.form import Form, head_of, matcher
from yolo_cli.datasets.forms.values import as_list, as_map, as_text, is_true, size_of, xywh
from yolo_cli.datasets.layout import below
from yolo_cli.datasets.sample import Dataset
from yolo_cli.text import read_text
from yolo_cli.yaml_text import parse_yaml

__all__ = ["IMAGE_FOLDER", "class_label", "fill"]

Map = Mapping[str, Any]
_CLASS = ("category", "categories", "label", "labels", "class", "category_id")
_BOX = ("bbox", "bboxes", "boxes")


def _read(root: Path, files: Sequence[Path], allow_unlabelled: bool) -> Dataset:
    """Read the metadata files of a folder."""
    names = class_label(_front_matter(root / "README.md"))
    entries: list[Entry] = []
    findings: list[Finding] = []
    for path in files:
        for row, line in enumerate(read_text(path).split("\n"), start=1):
            if line.strip():
                document = _parsed(line)
                if not as_text(document.get("file_name")):
                    what = "the line is not a JSON object with a file_name"
                    findings.append(Finding("Y204", f"{below(path, root)}:{row}", what))
                    continue
                size = size_of(document.get("height"), document.get("width"))
                entry = Entry(as_text(document["file_name"]), path, split_of(path, root), size=size)
                fill(entry, document.get("objects"), row, names)
                entries.append(entry)
    export = Export(root, "imagefolder", entries, names, tuple(findings), lists_all=False)
    return assemble(export, allow_unlabelled)


def _parsed(line: str) -> Map:
    try:
        return as_map(json.loads(line))
    except (ValueError, RecursionError):
        return {}


def _front_matter(path: Path) -> Any:
    """The YAML between two lines ``---`` at the start of a dataset card; None without one."""
    import yaml

    parts = head_of(path).decode("utf-8", "replace").split("---\n")
    try:
        return parse_yaml(parts[1]) if len(parts) > 2 and not parts[0].strip() else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def class_label(value: Any, depth: int = 12) -> tuple[str, ...]:
    """The names of the first class label in a description of features; () if it has none."""
    for key, item in as_map(value).items():
        if key == "class_label" or as_map(item).get("_type") == "ClassLabel":
            return tuple(filter(None, map(as_text, as_list(as_map(item).get("names")))))
    below_it = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = (class_label(item, depth - 1) for item in below_it) if depth else iter(())
    return next(filter(None, found), ())


def fill(entry: Entry, objects: Any, row: int, names: Sequence[str]) -> None:
    """Add the objects of one image: a mapping of lists, or a list of mappings."""
    for thing in _things(objects):
        corners = xywh(as_list(thing.get("bbox")))
        name = _name(thing.get("category"), names)
        if corners is None or not name:
            what = "an object has no category" if corners else "a bbox is not four numbers"
            entry.refused.append((row, what))
        else:
            extra = Extra(annotation_id=_id(thing.get("id"))) if extras_wanted() else None
            flags = (is_true(thing.get("iscrowd")), is_true(thing.get("difficult")))
            entry.shapes.append(Shape(row, name, corners, *flags, extra=extra))


def _things(objects: Any) -> Iterator[Map]:
    """Each object, with the keys bbox, category, id and iscrowd."""
    if isinstance(objects, list):
        for thing in map(as_map, objects):
            yield {**thing, "bbox": _given(thing, _BOX), "category": _given(thing, _CLASS)}
        return
    columns = as_map(objects)
    boxes, classes = as_list(_given(columns, _BOX)), as_list(_given(columns, _CLASS))
    others = {key: as_list(columns.get(key)) for key in ("id", "iscrowd", "difficult")}
    for index in range(max(len(boxes), len(classes))):
        rest = {key: values[index] for key, values in others.items() if index < len(values)}
        box, category = (values[index] if index < len(values) else None for values in (boxes, classes))
        yield {**rest, "bbox": box, "category": category}


def _given(values: Map, keys: Sequence[str]) -> Any:
    return next((values[key] for key in keys if key in values), None)


def _name(value: Any, names: Sequence[str]) -> str:
    """A category as a class name: a text, or a number with its name if that is known."""
    if isinstance(value, int) and not isinstance(value, bool) and names:
        return names[value] if 0 <= value < len(names) else ""
    return as_text(value)


def _id(value: Any) -> int | str | None:
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) else None


IMAGE_FOLDER = Form(
    "imagefolder",
    "Hugging Face's imagefolder",
    (".jsonl",),
    matcher(r'"file_name"\s*:', r'"objects"\s*:'),
    _read,
)
