"""What every detector can do, whatever its method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from yolo_cli.detections import Detections
from yolo_cli.images import Image

__all__ = ["Detector"]


@runtime_checkable
class Detector(Protocol):
    """Pictures in, boxes out. It keeps no state between calls and changes no argument."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class id."""
        ...

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find the objects on each picture, in the pictures' order, most confident first."""
        ...
