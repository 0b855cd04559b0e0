"""What is exported: a model, and how much of the path from image to boxes is part of the graph."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import Resize
from yolo_cli.detectors import Detector, YoloDetector
from yolo_cli.errors import UsageError, check_choice
from yolo_cli.images import Image
from yolo_cli.weights import ModelCard

__all__ = ["Form", "Format", "Number", "Plan"]

Format = Literal["onnx", "openvino", "tflite", "saved-model"]
Number = Literal["float32", "half", "int8"]

_CANNOT = {
    ("tflite", "nms"): "--nms: TFLite itself has no class-wise suppression; export without it",
    ("tflite", "dynamic"): "--dynamic: TFLite is exported at one size; leave it out",
    ("saved-model", "half"): "--half: a SavedModel keeps float32; use --format tflite or onnx",
    ("saved-model", "int8"): "--int8: a SavedModel keeps float32; use --format tflite or onnx",
}

_OUTSIDE = "its regions are proposed and cropped outside of its networks"
_WHY_NOT = {
    "localisation": "its box is computed from two networks in two files",
    "sliding-window": "its windows are cut and scaled outside of its network",
    "conv-sliding-window": "its windows are chosen outside of its network",
}


@dataclass(frozen=True, slots=True)
class Form:
    """Options of an export.

    Attributes:
        format: the file format.
        nms: suppression is part of the graph, class-wise by IoU.
        preprocess: resizing is part of the graph, which then takes images of any size.
        number: of the weights: float32, half (float16, computed in float32), or int8.
        batch: batch size; None is any.
        dynamic: without ``preprocess``, any height and width that are multiples of the card's ``size_step``.

    Raises:
        UsageError: if they contradict each other.
    """

    format: Format = "onnx"
    nms: bool = False
    preprocess: bool = True
    number: Number = "float32"
    batch: int | None = None
    dynamic: bool = False

    def __post_init__(self) -> None:
        check_choice("format", self.format, get_args(Format))
        asked = {"nms": self.nms, "dynamic": self.dynamic, self.number: True}
        for name in filter(asked.get, asked):
            if (self.format, name) in _CANNOT:
                raise UsageError(_CANNOT[self.format, name])
        if self.dynamic and self.preprocess:
            raise UsageError("--dynamic goes with --no-preprocess; else images of any size are taken anyway")
        if self.batch is not None and self.batch < 1:
            raise UsageError(f"--batch is {self.batch}, but must be at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A model and how it is exported.

    Attributes:
        detector: the model, with the thresholds to export; with ``nms`` it suppresses by IoU.
        form: the options.
        kept: for int8, the fraction of the convolutions, from the last one back, that stay in float32; those
            that compute raw heads always do.
    """

    detector: YoloDetector
    form: Form
    kept: float = 0.0

    @classmethod
    def of(cls, detector: Detector, form: Form) -> Plan:
        """The plan for a detector.

        Raises:
            UsageError: if it cannot be exported so.
        """
        if not isinstance(detector, YoloDetector):
            card = detector.card
            reason = _WHY_NOT.get(card.detector, _OUTSIDE)
            raise UsageError(f"{card.name}: a {card.detector} detector cannot be exported, because {reason}")
        if detector.config.agnostic or detector.config.classes:
            raise UsageError("--agnostic and --classes are not exported; choose among the boxes afterwards")
        if form.nms:
            detector = replace(detector, config=replace(detector.config, suppression="iou"))
        return cls(detector, form)

    @property
    def card(self) -> ModelCard:
        """The card of the model."""
        return self.detector.card

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return self.detector.input_size

    @property
    def resize(self) -> Resize:
        """How an image gets the network's size."""
        return self.detector.config.resize or self.card.resize

    @property
    def grids(self) -> list[tuple[int, int]]:
        """Rows and columns of each head."""
        height, width = self.input_size
        return [(ceil(height / head.stride), ceil(width / head.stride)) for head in self.card.heads]

    @property
    def slots(self) -> int:
        """Number of boxes before suppression: one for each anchor of all cells of all heads."""
        pairs = zip(self.grids, self.card.heads, strict=True)
        return sum(rows * columns * head.boxes for (rows, columns), head in pairs)

    def input_of(self, image: Image) -> NDArray[Any]:
        """The input of the graph for one image, a batch of one."""
        if self.form.preprocess:
            return image.rgb[None]
        pixels = self.detector.letterbox(image).apply(image.rgb)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None].astype(np.float32))

    def in_float(self, convolutions: Sequence[str], last: Collection[str]) -> list[str]:
        """Those of ``convolutions``, in the order in which they run, that stay in float32.

        Args:
            convolutions: their names.
            last: the names of those that compute raw heads. One scale for coordinates, objectness and classes
                would be too coarse.
        """
        start = len(convolutions) - round(self.kept * len(convolutions))
        return [name for place, name in enumerate(convolutions) if name in last or place >= start]
