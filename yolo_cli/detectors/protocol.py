"""The interface of every detector."""

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
    """Multiply-accumulates of the networks for one image.

    Attributes:
        whole: for the image as a whole.
        each: in addition, for each region.
    """

    whole: int
    each: int


class Detector(Protocol):
    """Finds objects in images.

    Thread-safe: it keeps no state between calls and changes no argument. Callers need not know which kind of
    detector they have.
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
        """Like `detect`, with the time of each step for all images together."""
        ...

    def trace(self, image: Image) -> Trace:
        """Every step of the detection of one image: the network's predictions, and their selection."""
        ...

    def cost(self, image: Image) -> Cost:
        """Multiply-accumulates for one image.

        Raises:
            UsageError: if the engine cannot count them.
        """
        ...

    def with_config(self, config: DetectConfig) -> Detector:
        """The same network with other thresholds and limits; nothing is reloaded.

        Raises:
            UsageError: if the options do not fit the model.
        """
        ...

    def with_card(self, card: ModelCard) -> Detector:
        """The same network with another card, such as one without a calibration."""
        ...
