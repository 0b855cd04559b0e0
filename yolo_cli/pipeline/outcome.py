"""The outcome of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from yolo_cli.detections import Detections
from yolo_cli.images import Image

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The outcome of one image: its detections, or an error where it could not be read.

    Attributes:
        name: its name, as given by the user or the data set.
        detections: its detections; empty if it could not be read.
        error: why it could not be read, in one line, or None.
        image: the image; None if it could not be read, or if a journal had its detections already.
        time_ms: milliseconds of ``read``, ``prepare``, ``infer`` and ``post``. A batch's time is divided
            evenly among its images.
    """

    name: str
    detections: Detections
    error: str | None = None
    image: Image | None = None
    time_ms: Mapping[str, float] = field(default_factory=dict)
