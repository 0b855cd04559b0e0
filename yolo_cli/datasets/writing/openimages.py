"""Write Open Images form: CSV files in ``annotations``, images in ``images/SPLIT``.

A class is its own label name, as there are no machine ids for new classes. Of an image without boxes, every
class is verified to be absent: ``Confidence`` 0 in the table of image-level labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yolo_cli.datasets.writing.content import Content, Entry
from yolo_cli.datasets.writing.exactly import exact, number_text
from yolo_cli.datasets.writing.text import put_csv

__all__ = ["FLAGS", "long_split", "write_openimages"]

FLAGS = ("occluded", "truncated", "depiction", "inside")
"""The attributes that a box can have."""

_BOXES = (
    *("ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax"),
    *("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"),
)
_IMAGES = (
    *("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL"),
    *("Author", "Title", "OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation"),
)


def write_openimages(content: Content, folder: Path) -> None:
    """Write the class names and, for each split, its boxes and its images."""
    names = [(name, name) for name in content.class_names]
    put_csv(folder, "annotations/class-descriptions-boxable.csv", names)
    for split, entries in content.by_split.items():
        word = long_split(split)
        boxes = [row for entry in entries for row in _rows(content, entry)]
        put_csv(folder, f"annotations/{word}-annotations-bbox.csv", [_BOXES, *boxes])
        absent = [
            (entry.stem, "verification", name, 0)
            for entry in entries
            if not len(entry.boxes)
            for name in content.class_names
        ]
        put_csv(folder, f"annotations/{word}-annotations-human-imagelabels.csv", [_BOXES[:4], *absent])
        images = [[entry.stem, word, *[""] * 9, "0.0"] for entry in entries]
        put_csv(folder, f"annotations/{word}-images-with-rotation.csv", [_IMAGES, *images])


def long_split(split: str) -> str:
    """The name of a split as Open Images and Hugging Face have it."""
    return "validation" if split == "val" else split


def _rows(content: Content, entry: Entry) -> Iterator[list[Any]]:
    """The rows of an image; edges are fractions of its width and height."""
    height, width = entry.size
    crowds = entry.boxes.crowd.tolist()
    for (class_id, (x1, y1, x2, y2), extra), crowd in zip(entry.rows(), crowds, strict=True):
        pairs = ((x1, width), (x2, width), (y1, height), (y2, height))
        edges = [number_text(_fraction(edge, length)) for edge, length in pairs]
        occluded, truncated, *others = (int(bool(extra.attributes.get(name))) for name in FLAGS)
        yield [
            *(entry.stem, "xclick", content.class_names[class_id], 1),
            *(*edges, occluded, truncated, int(crowd), *others),
        ]


def _fraction(edge: float, length: int) -> float:
    """An edge as a fraction of the image's length."""
    [part] = exact((edge,), (edge / length,), lambda part: (part * length,))
    return part
