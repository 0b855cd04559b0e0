"""Write YOLO form: ``labels/SPLIT/*.txt``, and ``data.yaml``, or ``classes.txt`` without splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from yolo_cli.datasets.extras import NOT_LABELLED, Extra
from yolo_cli.datasets.sample import UNSPLIT
from yolo_cli.datasets.writing.content import Content, Entry, spanning_polygon
from yolo_cli.datasets.writing.exactly import exact, number_text, rounded
from yolo_cli.datasets.writing.text import put
from yolo_cli.datasets.yolo_description import description

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
    about = ((points, 3), content.keypoint_names, content.flip_idx, content.skeleton) if points else ()
    put(folder, "data.yaml", description(content.by_split, content.class_names, *about))


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
        return [rounded(value / wh[i % 2]) for i, value in enumerate(polygon)]
    (cx, w), (cy, h) = (_centre_and_side(edges[i], edges[i + 2], wh[i]) for i in (0, 1))
    marked = extra.keypoints or (NOT_LABELLED,) * points
    parts = (value for x, y, seen in marked for value in (x / wh[0], y / wh[1], seen))
    return [cx, cy, w, h, *map(rounded, parts)]


def _centre_and_side(low: float, high: float, length: int) -> tuple[float, ...]:
    """Centre and side of a box along one axis, as fractions of the image's length."""

    def back(centre: float, side: float) -> tuple[float, float]:
        return (centre - side / 2) * length, (centre + side / 2) * length

    return exact((low, high), ((low + high) / 2 / length, (high - low) / length), back)
