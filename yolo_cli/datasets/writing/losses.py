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
        keypoints: key points.
        keypoint_names: names and skeleton of key points.
        attributes: the names of the attributes that it holds; None is any name.
        thin: boxes of at most one pixel.
    """

    difficult: bool = False
    crowd: bool = False
    polygons: Literal["all", "one", "none"] = "none"
    masks: bool = False
    keypoints: bool = False
    keypoint_names: bool = False
    attributes: frozenset[str] | None = frozenset()
    thin: bool = True


def losses(content: Content, form: str, holds: Holds) -> tuple[str, ...]:
    """A line for each kind of thing that the form cannot hold, with the number of boxes that lose it."""
    found = []
    for what, is_lost in _losing(content, holds):
        boxes = sum(is_lost(entry, i) for entry in content.entries for i in range(len(entry.boxes)))
        if boxes:
            found.append(f"{form} cannot hold {what} ({boxes} box{'' if boxes == 1 else 'es'})")
    numbered = content.keypoint_names == tuple(map(str, range(len(content.keypoint_names))))
    named = content.skeleton or not numbered  # numbers replace names that the source did not have
    if named and holds.keypoints and not holds.keypoint_names:
        found.append(f"{form} cannot hold the names and the skeleton of key points")
    return tuple(found)


def _losing(content: Content, holds: Holds) -> Iterator[tuple[str, Callable[[Entry, int], bool]]]:
    """What could be lost, and whether a box loses it."""
    if not holds.difficult:
        yield "difficult: the flag is dropped", lambda entry, i: bool(entry.boxes.difficult[i])
    if not holds.crowd:
        yield "crowd: a group is written as one object", lambda entry, i: bool(entry.boxes.crowd[i])
    if not holds.masks:
        yield "masks: the box is kept", lambda entry, i: entry.extras[i].mask is not None
    points = content.keypoint_count if holds.keypoints else 0
    if holds.keypoints is False or (not points and holds.polygons != "all"):
        yield "key points: the box is kept", lambda entry, i: bool(entry.extras[i].keypoints)
    if holds.polygons != "all":
        only_one = holds.polygons == "one" and not points
        what = "polygons of several parts or apart from their box" if only_one else "polygons"
        yield f"{what}: the box is kept", lambda entry, i: _loses_polygon(entry, i, only_one)
    if holds.attributes is not None:
        kept = holds.attributes
        yield "attributes", lambda entry, i: not entry.extras[i].attributes.keys() <= kept
    if not holds.thin:
        yield (
            "boxes of at most one pixel: they are written two wide or high",
            lambda entry, i: too_thin(entry.boxes.xyxy[i].tolist()),
        )


def _loses_polygon(entry: Entry, index: int, only_one: bool) -> bool:
    """Whether a box has polygons that are not written."""
    extra = entry.extras[index]
    if not extra.polygons:
        return False
    return not (only_one and spanning_polygon(entry.boxes.xyxy[index].tolist(), extra))
