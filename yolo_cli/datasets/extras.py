"""What annotations hold besides boxes: polygons, masks, key points, attributes and ids.

Training does not need them, so readers keep them only within `keeping_extras`: conversion asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NOT_LABELLED", "Extra", "Point", "Value", "extras_wanted", "keeping_extras", "plain_values"]

Value = str | int | float | bool
Point = tuple[float, float, float]
"""A key point: x, y, and its visibility: 0 not labelled, 1 hidden, 2 visible, as in COCO."""

NOT_LABELLED: Point = (0.0, 0.0, 0.0)
"""A key point that nobody marked."""

_WANTED: ContextVar[bool] = ContextVar("extras", default=False)


@dataclass(frozen=True, slots=True)
class Extra:
    """What the annotation of one box holds besides the box.

    Coordinates are pixels of the upright image, or fractions of its size where ``Sample.fractions`` is set.

    Attributes:
        polygons: the outlines of the object's parts, each x1, y1, x2, y2 and so on.
        keypoints: the object's key points.
        attributes: named values, such as VOC's ``pose``.
        mask: the object's mask as COCO's run-length encoding, unchanged.
        annotation_id: the annotation's id in its file.
    """

    polygons: tuple[tuple[float, ...], ...] = ()
    keypoints: tuple[Point, ...] = ()
    attributes: Mapping[str, Value] = field(default_factory=dict)
    mask: Mapping[str, Any] | None = None
    annotation_id: int | str | None = None


@contextmanager
def keeping_extras(wanted: bool = True) -> Iterator[None]:
    """Within the block, readers of data sets fill ``Sample.extras``."""
    token = _WANTED.set(wanted)
    try:
        yield
    finally:
        _WANTED.reset(token)


def extras_wanted() -> bool:
    """Whether a reader is to fill ``Sample.extras``."""
    return _WANTED.get()


def plain_values(values: Any) -> dict[str, Value]:
    """The entries of a mapping that are text, numbers or flags; nothing for anything else.

    >>> plain_values({"pose": "left", "points": [1, 2], "score": 0.5})
    {'pose': 'left', 'score': 0.5}
    """
    entries = values.items() if isinstance(values, Mapping) else ()
    return {str(key): value for key, value in entries if isinstance(value, (str, int, float, bool))}
