"""What every detector can do, whatever its method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from yolo_cli.config import DetectConfig
from yolo_cli.detections import Detections
from yolo_cli.detectors.trace import Times, Trace
from yolo_cli.images import Image
from yolo_cli.weights import ModelCard

__all__ = ["Cost", "Detector", "Times", "Trace"]


@dataclass(frozen=True, slots=True)
class Cost:
    """How many multiply-accumulates the networks need for one image.

    Attributes:
        whole: for the image as a whole.
        each: for each region on top of that.
    """

    whole: int
    each: int


class Detector(Protocol):
    """Images in, boxes out.

    It keeps no state between calls and changes no argument, so that several threads may use one detector.
    Callers never ask which kind they have: whatever they need is here.
    """

    @property
    def card(self) -> ModelCard:
        """The card of its model."""
        ...

    @property
    def config(self) -> DetectConfig:
        """Thresholds and limits."""
        ...

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class id."""
        ...

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        ...

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Find the objects in each image, in the images' order, most confident first."""
        ...

    def detect_timed(self, images: Sequence[Image]) -> tuple[list[Detections], Times]:
        """As `detect`, and how long each step took for all images together."""
        ...

    def trace(self, image: Image) -> Trace:
        """Every step of the detection of one image: what the network predicted, and what was made of it."""
        ...

    def cost(self, image: Image) -> Cost:
        """Multiply-accumulates for one image.

        Raises:
            UsageError: if the engine cannot count them.
        """
        ...

    def with_config(self, config: DetectConfig) -> Detector:
        """The same network with other thresholds and limits; nothing is loaded again.

        Raises:
            UsageError: if the options do not fit the model.
        """
        ...
