"""What a form cannot hold, counted over a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from yolo_cli.datasets.writing.content import Content, Entry, spanning_polygon
from yolo_cli.datasets.writing.voc import too_thin

__all__ = ["Holds", "losses"]


@dataclass(frozen=True, slots=True)
class Holds:
    """What a form holds besides boxes and classes.

    Attributes:
        difficult: VOC's flag.
        crowd: COCO's flag.
        polygons: all outlines, only one that spans its box, or none.
        masks: COCO's run-length masks.
        keypoints: all key points, those that are not hidden, or none.
        skeleton: the lines between key points.
        alike: all rows are of one kind: if there are key points, each object has as many, and no polygon.
        attributes: the names of the attributes that it holds; None is any name.
        thin: boxes of at most one pixel.
    """

    difficult: bool = False
    crowd: bool = False
    polygons: Literal["all", "one", "none"] = "none"
    masks: bool = False
    keypoints: Literal["all", "visible", "none"] = "none"
    skeleton: bool = False
    alike: bool = False
    attributes: frozenset[str] | None = frozenset()
    thin: bool = True


def losses(content: Content, form: str, holds: Holds) -> tuple[str, ...]:
    """A line for each kind of thing that the form cannot hold, with the number of boxes that lose it."""
    found = []
    for what, is_lost in _losing(content, holds):
        boxes = sum(is_lost(entry, i) for entry in content.entries for i in range(len(entry.boxes)))
        if boxes:
            found.append(f"{form} cannot hold {what} ({boxes} box{'' if boxes == 1 else 'es'})")
    if content.skeleton and holds.keypoints != "none" and not holds.skeleton:
        found.append(f"{form} cannot hold the skeleton of key points")
    return tuple(found)


def _losing(content: Content, holds: Holds) -> Iterator[tuple[str, Callable[[Entry, int], bool]]]:
    """What could be lost, and whether a box loses it."""
    if not holds.difficult:
        yield "difficult: the flag is dropped", lambda entry, i: bool(entry.boxes.difficult[i])
    if not holds.crowd:
        yield "crowd: a group is written as one object", lambda entry, i: bool(entry.boxes.crowd[i])
    yield from _losing_shapes(content, holds)
    if holds.attributes is not None:
        kept = holds.attributes
        yield "attributes", lambda entry, i: not entry.extras[i].attributes.keys() <= kept
    if not holds.thin:
        yield (
            "boxes of at most one pixel: they are written two wide or high",
            lambda entry, i: too_thin(entry.boxes.xyxy[i].tolist()),
        )


def _losing_shapes(content: Content, holds: Holds) -> Iterator[tuple[str, Callable[[Entry, int], bool]]]:
    """Which shapes besides boxes could be lost, and whether a box loses them."""
    if not holds.masks:
        yield "masks: the box is kept", lambda entry, i: entry.extras[i].mask is not None
    points = content.keypoint_count
    if holds.keypoints == "none" or (holds.alike and not points):
        yield "key points: the box is kept", lambda entry, i: bool(entry.extras[i].keypoints)
    elif holds.keypoints == "visible":
        yield "hidden key points: they are written as visible", _has_hidden
    if holds.polygons != "all":
        only_one = holds.polygons == "one" and not (holds.alike and points)
        what = "polygons of several parts or apart from their box" if only_one else "polygons"
        yield f"{what}: the box is kept", lambda entry, i: _loses_polygon(entry, i, only_one)


def _has_hidden(entry: Entry, index: int) -> bool:
    """Whether a box has a hidden key point."""
    return any(visibility == 1 for _, _, visibility in entry.extras[index].keypoints)


def _loses_polygon(entry: Entry, index: int, only_one: bool) -> bool:
    """Whether a box has polygons that are not written."""
    extra = entry.extras[index]
    if not extra.polygons:
        return False
    return not (only_one and spanning_polygon(entry.boxes.xyxy[index].tolist(), extra))
