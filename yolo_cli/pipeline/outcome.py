"""The outcome of one image, and what watches outcomes come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from yolo_cli.detections import Detections
from yolo_cli.images import Image
from yolo_cli.results import Result

__all__ = ["Outcome", "Watch"]


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

    def result(self, class_names: Sequence[str]) -> Result:
        """The same with the names of the classes, for an image that could be read."""
        assert self.image is not None, self.error
        return Result(self.image, self.detections, tuple(class_names), self.time_ms)


Watch = Callable[[Iterable[Outcome], int], Iterable[Outcome]]
"""Wraps the stream of outcomes, whose number is given (0 if it is unknown), to show progress."""
