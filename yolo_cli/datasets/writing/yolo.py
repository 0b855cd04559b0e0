"""Write YOLO form: ``labels/SPLIT/*.txt``, and ``data.yaml``, or ``classes.txt`` without splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from yolo_cli.datasets.extras import Extra
from yolo_cli.datasets.sample import UNSPLIT
from yolo_cli.datasets.writing.content import Content, Entry, number_text, spanning_polygon
from yolo_cli.datasets.writing.text import put

__all__ = ["write_yolo"]


def write_yolo(content: Content, folder: Path) -> None:
    """Write labels and class names. Key points are written if every box with some has as many."""
    points = content.keypoint_count
    for entry in content.entries:
        path = PurePosixPath("labels", *PurePosixPath(entry.file).parts[1:]).with_name(f"{entry.stem}.txt")
        put(folder, str(path), "".join(line + "\n" for line in yolo_label(entry, points)))
    if UNSPLIT in content.by_split and not points:
        put(folder, "classes.txt", "".join(f"{name}\n" for name in content.class_names))
        return
    keys: dict[str, Any] = {
        "train" if split == UNSPLIT else split: "images" if split == UNSPLIT else f"images/{split}"
        for split in content.by_split
    }
    if points:
        keys["kpt_shape"] = [points, 3]
        keys |= {"flip_idx": list(content.flip_idx)} if content.flip_idx else {}
    keys["names"] = dict(enumerate(content.class_names))
    put(folder, "data.yaml", yaml.safe_dump(keys, sort_keys=False, allow_unicode=True))


def yolo_label(entry: Entry, points: int = 0) -> list[str]:
    """The lines of an image: boxes, or polygons that span theirs, or boxes with key points."""
    height, width = entry.size
    return [
        " ".join([str(class_id), *map(number_text, _numbers(edges, extra, (width, height), points))])
        for class_id, edges, extra in entry.rows()
    ]


def _numbers(edges: Sequence[float], extra: Extra, wh: tuple[int, int], points: int) -> list[float]:
    """The numbers of a line after the class: fractions of width and height, and visibilities."""
    polygon = None if points else spanning_polygon(edges, extra)
    if polygon:
        return [value / wh[i % 2] for i, value in enumerate(polygon)]
    (x1, y1, x2, y2), (width, height) = edges, wh
    box = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]
    marked = extra.keypoints or ((0.0, 0.0, 0.0),) * points
    return box + [value for x, y, seen in marked for value in (x / width, y / height, seen)]
