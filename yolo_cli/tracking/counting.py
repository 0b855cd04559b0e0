"""Counts of objects that cross a line, or that enter and leave a zone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import UsageError
from yolo_cli.tracks import Tracks
from yolo_cli.zones import depth_in, read_points

__all__ = ["Counter", "Crossing", "LineCounter", "ZoneCounter", "counters_of"]

Floats = NDArray[np.floating[Any]]
Direction = Literal["in", "out"]
Point = tuple[float, float]

# An object has changed sides when its centre is this fraction of its smaller side beyond the border: one
# that trembles on the border is not counted again and again.
_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Crossing:
    """One object on one border.

    Attributes:
        counter: the name of the line or zone.
        direction: "in" or "out".
        frame: the number of the frame in which it had changed sides.
        track_id: the object.
        class_id: its class, by vote so far.
    """

    counter: str
    direction: Direction
    frame: int
    track_id: int
    class_id: int


@dataclass(slots=True)
class Counter:
    """Counts the crossings of one border by the centres of boxes.

    Attributes:
        name: as in "line 1".
        points: (K, 2), in pixels.
        counts: crossings in each direction.
    """

    name: str
    points: Floats
    counts: dict[Direction, int] = field(default_factory=lambda: {"in": 0, "out": 0})
    _last: dict[int, tuple[bool, Point]] = field(default_factory=dict)  # by track: whether inside, and where

    def update(self, tracks: Tracks) -> list[Crossing]:
        """The crossings of one frame."""
        crossings = list(self._crossings(tracks))
        for crossing in crossings:
            self.counts[crossing.direction] += 1
        return crossings

    def check_within(self, height: int, width: int) -> None:
        """Raise a UsageError if the border is beside frames of this size, where no box has its centre."""
        (left, top), (right, bottom) = self.points.min(axis=0), self.points.max(axis=0)
        if left >= width or top >= height or right <= 0 or bottom <= 0:
            raise UsageError(
                f"{self.name}: is outside the frames, which have {width}x{height} pixels; give points in them"
            )

    def _crossings(self, tracks: Tracks) -> Iterator[Crossing]:
        centres = (tracks.xyxy[:, :2] + tracks.xyxy[:, 2:]) / 2  # (N, 2)
        margins = _MARGIN * (tracks.xyxy[:, 2:] - tracks.xyxy[:, :2]).min(axis=1, initial=np.inf)  # (N,)
        columns = (tracks.frame, tracks.track_id, tracks.class_id, centres, margins)
        for frame, name, class_id, (x, y), margin in zip(*(c.tolist() for c in columns), strict=True):
            depth = self.depth((x, y))
            if abs(depth) <= margin:
                continue
            before, self._last[name] = self._last.get(name), (depth > 0, (x, y))
            if before and before[0] != (depth > 0) and self.passes(before[1], (x, y)):
                yield Crossing(self.name, "in" if depth > 0 else "out", frame, name, class_id)

    def depth(self, point: Point) -> float:
        """How far inside a point is, in pixels; below 0 outside."""
        raise NotImplementedError

    def passes(self, start: Point, end: Point) -> bool:
        """Whether the way between two points on different sides leads over the border."""
        raise NotImplementedError


class LineCounter(Counter):
    """Counts over a line from one point to another: "in" is to its right as one looks along it."""

    def depth(self, point: Point) -> float:
        """The distance from the line, however long it is; above 0 on its right."""
        start, end = self.points
        return _right_of(start, end, point) / math.dist(start, end)

    def passes(self, start: Point, end: Point) -> bool:
        """Whether the way is between the line's ends."""
        first, second = (_right_of(start, end, each) for each in self.points)
        return first * second <= 0


class ZoneCounter(Counter):
    """Counts into and out of a polygon."""

    def depth(self, point: Point) -> float:
        """The distance from the polygon's border."""
        return depth_in(self.points, point)

    def passes(self, start: Point, end: Point) -> bool:  # noqa: ARG002
        """Always: one point is inside and one outside."""
        return True


def _right_of(a: Any, b: Any, point: Any) -> float:
    """The distance of a point from the line through ``a`` and ``b``, times their distance; y points down."""
    return float((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]))


def counters_of(lines: Sequence[str], zones: Sequence[str]) -> tuple[Counter, ...]:
    """A counter for each line and zone as the command line has them.

    Raises:
        UsageError: if one cannot be read.
    """
    return (
        *(
            LineCounter(f"line {at}", read_points("--count-line", text))
            for at, text in enumerate(lines, start=1)
        ),
        *(ZoneCounter(f"zone {at}", read_points("--zone", text)) for at, text in enumerate(zones, start=1)),
    )
