"""What every detector can do, whatever its method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from yolo_cli.detections import Detections
from yolo_cli.images import Image

__all__ = ["Detector", "Times"]


@dataclass(frozen=True, slots=True)
class Times:
    """How long one call took, in milliseconds.

    Attributes:
        prepare_ms: before the network: images to its size, or proposing where to look.
        infer_ms: the network, with the cutting of crops where it sees those.
        post_ms: after it: decode and suppress.
    """

    prepare_ms: float
    infer_ms: float
    post_ms: float


@runtime_checkable
class Detector(Protocol):
    """Images in, boxes out. It keeps no state between calls and changes no argument."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class id."""
        ...

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find the objects on each image, in the images' order, most confident first."""
        ...
