"""Write COCO form: ``annotations/instances_SPLIT.json``, or ``annotations.json`` without splits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.sample import UNSPLIT
from yolo_cli.datasets.writing.content import Content, Entry, xywh
from yolo_cli.datasets.writing.exactly import rounded
from yolo_cli.datasets.writing.text import put_json

__all__ = ["write_coco"]


def write_coco(content: Content, folder: Path) -> None:
    """Write a file for each split. Ids of images and annotations are kept where they are unique numbers."""
    for split, entries in content.by_split.items():
        name = "annotations.json" if split == UNSPLIT else f"annotations/instances_{split}.json"
        put_json(
            folder,
            name,
            {
                "images": [_image(entry) for entry in entries],
                "annotations": list(_annotations(content, entries)),
                "categories": _categories(content),
            },
        )


def _image(entry: Entry) -> dict[str, Any]:
    """An image; its file name starts at the folder of its split."""
    height, width = entry.size
    name = PurePosixPath(entry.file).name
    return {"id": entry.image_id, "file_name": name, "width": width, "height": height}


def _categories(content: Content) -> list[dict[str, Any]]:
    """The categories, each with the key points of all."""
    points: dict[str, Any] = {}
    if content.keypoint_names:
        skeleton = [[a + 1, b + 1] for a, b in content.skeleton]
        points = {"keypoints": list(content.keypoint_names), "skeleton": skeleton}
    pairs = zip(content.category_ids, content.class_names, strict=True)
    return [{"id": category_id, "name": name, **points} for category_id, name in pairs]


def _annotations(content: Content, entries: list[Entry]) -> Iterator[dict[str, Any]]:
    """The annotations of a split."""
    own = {extra.annotation_id for entry in entries for extra in entry.extras}
    fresh = (number for number in count(1) if number not in own)
    used: set[int | str] = set()
    for entry in entries:
        for i, (class_id, _, extra) in enumerate(entry.rows()):
            wanted = [extra.annotation_id] if isinstance(extra.annotation_id, int) else []
            own_id = next(number for number in chain(wanted, fresh) if number not in used)
            used.add(own_id)
            yield {
                "id": own_id,
                "image_id": entry.image_id,
                "category_id": content.category_ids[class_id],
                "bbox": xywh(entry, i),
                "area": float(entry.boxes.area[i]),
                "iscrowd": int(entry.boxes.crowd[i]),
                **_more(extra),
            }


def _more(extra: Extra) -> dict[str, Any]:
    """Outline, which many programs need even if it is empty, key points and attributes."""
    polygons = [list(map(rounded, polygon)) for polygon in extra.polygons]
    found: dict[str, Any] = {"segmentation": extra.mask or polygons}
    if extra.keypoints:
        found["keypoints"] = [rounded(value) for point in extra.keypoints for value in point]
        found["num_keypoints"] = sum(seen > 0 for _, _, seen in extra.keypoints)
    if extra.attributes:
        found["attributes"] = dict(extra.attributes)
    return found
