"""Images → `Detections`, by whatever method."""

from yolo_cli.detectors.loading import DEFAULT_MODEL, DETECTORS, load_detector
from yolo_cli.detectors.protocol import Detector, Times
from yolo_cli.detectors.regions import RegionDetector
from yolo_cli.detectors.yolo import YoloDetector

__all__ = [
    "DEFAULT_MODEL",
    "DETECTORS",
    "Detector",
    "RegionDetector",
    "Times",
    "YoloDetector",
    "load_detector",
]
