"""Who is compared: the line from localisation to YOLO, as far as models are at hand."""

from __future__ import annotations

from dataclasses import dataclass

from yolo_cli.config import DetectConfig
from yolo_cli.detectors import Detector, load_detector
from yolo_cli.engines import Device
from yolo_cli.weights import find_model

__all__ = ["CONTENDERS", "Contender", "model_bytes", "open_contender"]


@dataclass(frozen=True, slots=True)
class Contender:
    """One detector that takes part.

    Attributes:
        name: what tables call it.
        weights: its model.
        kind: which detector that model serves; None follows the model.
    """

    name: str
    weights: str
    kind: str | None = None


CONTENDERS = (
    Contender("localisation", "localisation-voc"),
    Contender("sliding window", "windows-voc", "sliding-window"),
    Contender("convolutional window", "windows-voc", "conv-sliding-window"),
    Contender("R-CNN", "rcnn-voc"),
    Contender("Fast R-CNN", "fast-rcnn-voc"),
    Contender("Faster R-CNN", "faster-rcnn-voc"),
    Contender("YOLO", "yolov4-tiny-coco"),
)
"""In the order of the course, which is nearly that of their invention."""


def open_contender(contender: Contender, config: DetectConfig, device: Device = "cpu") -> Detector:
    """The detector, on ONNX Runtime, where its arithmetic can be counted.

    Raises:
        UserError: if its model is not at hand, or does not fit.
    """
    return load_detector(contender.weights, engine="onnx", device=device, config=config, kind=contender.kind)


def model_bytes(contender: Contender, detector: Detector) -> int:
    """Size of the ``.onnx`` files that it needs, the other model's whose features it takes among them."""
    names = [contender.weights, detector.card.backbone.partition(":")[0]]
    files = [find_model(name).onnx for name in names if name]
    return sum(path.stat().st_size for path in files if path is not None)
