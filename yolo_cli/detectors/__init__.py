"""Pictures → `Detections`, by whatever method."""

from yolo_cli.detectors.protocol import Detector
from yolo_cli.detectors.yolo import Times, YoloDetector, load_detector

__all__ = ["Detector", "Times", "YoloDetector", "load_detector"]
