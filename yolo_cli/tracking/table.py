"""One row for each object that was followed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from yolo_cli.tracks import Tracks

__all__ = ["TrackTable", "TrackedObject"]

Point = tuple[float, float]


@dataclass(slots=True)
class TrackedObject:
    """What is known of one object.

    Attributes:
        track_id: its id.
        class_id: its class, by vote.
        first_frame, last_frame: numbers of the frames in which it was first and last seen.
        first_s, last_s: their times in seconds; None in a folder of images.
        frames: in how many frames it was seen.
        path_px: how far its centre moved in all, in pixels.
        centre: where it is now.
    """

    track_id: int
    class_id: int
    first_frame: int
    last_frame: int
    first_s: float | None
    last_s: float | None
    frames: int
    path_px: float
    centre: Point

    def to_dict(self, class_names: tuple[str, ...]) -> dict[str, Any]:
        """As in ``tracks.csv`` and ``--format json``."""
        return {
            "track_id": self.track_id,
            "class_id": self.class_id,
            "class_name": class_names[self.class_id],
            "first_frame": self.first_frame,
            "last_frame": self.last_frame,
            "first_s": _rounded(self.first_s),
            "last_s": _rounded(self.last_s),
            "frames": self.frames,
            "path_px": round(self.path_px, 1),
        }


class TrackTable:
    """Grows by one row for each object."""

    def __init__(self) -> None:
        self._objects: dict[int, TrackedObject] = {}

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def objects(self) -> list[TrackedObject]:
        """The objects so far, by id."""
        return list(self._objects.values())

    def update(self, tracks: Tracks, time_s: float | None) -> None:
        """Add what is seen in one frame."""
        centres = (tracks.xyxy[:, :2] + tracks.xyxy[:, 2:]) / 2  # (N, 2)
        columns = (tracks.frame, tracks.track_id, tracks.class_id, centres)
        for frame, name, class_id, (x, y) in zip(*(column.tolist() for column in columns), strict=True):
            known = self._objects.get(name)
            if known is None:
                first = TrackedObject(name, class_id, frame, frame, time_s, time_s, 1, 0.0, (x, y))
                self._objects[name] = first
                continue
            known.path_px += math.dist(known.centre, (x, y))
            known.class_id, known.last_frame, known.last_s, known.centre = class_id, frame, time_s, (x, y)
            known.frames += 1


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
