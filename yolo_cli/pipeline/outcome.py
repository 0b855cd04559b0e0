"""What became of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from yolo_cli.detections import Detections
from yolo_cli.images import Image

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one image: its detections, or an error where it could not be read.

    Attributes:
        name: as the user, or the data set, named it.
        detections: what was found on it; empty where it could not be read.
        error: one line that says why it could not be read, or None.
        image: the image; None if it could not be read, or where a journal had its detections already.
        time_ms: milliseconds of ``read``, ``prepare``, ``infer`` and ``post``. A batch's time is divided
            evenly among its images.
    """

    name: str
    detections: Detections
    error: str | None = None
    image: Image | None = None
    time_ms: Mapping[str, float] = field(default_factory=dict)
