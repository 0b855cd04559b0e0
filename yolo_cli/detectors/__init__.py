"""Detectors: images → `Detections`."""

from yolo_cli.detectors.loading import DETECTORS, engine_for, load_detector
from yolo_cli.detectors.protocol import Cost, Detector
from yolo_cli.detectors.trace import Times, Trace
from yolo_cli.detectors.yolo import YoloDetector

__all__ = [
    "DETECTORS",
    "Cost",
    "Detector",
    "Times",
    "Trace",
    "YoloDetector",
    "engine_for",
    "load_detector",
]
