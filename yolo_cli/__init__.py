"""An object detector for the command line, and for Python.

    >>> from yolo_cli import load_detector, read_image
    >>> detector = load_detector("yolov4-tiny-coco")
    >>> [found] = detector.detect([read_image("examples/cat.jpg")])
    >>> [detector.class_names[i] for i in found.class_id]
    ['cat']

Names are resolved on first use, so that ``import yolo_cli`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yolo_cli.config import DetectConfig
    from yolo_cli.detections import Detections, GroundTruth
    from yolo_cli.detectors import load_detector
    from yolo_cli.errors import UserError
    from yolo_cli.images import Image, read_image

__version__ = "0.1.0"
__all__ = ["DetectConfig", "Detections", "GroundTruth", "Image", "UserError", "load_detector", "read_image"]

_HOMES = {
    "DetectConfig": "config",
    "Detections": "detections",
    "Image": "images",
    "GroundTruth": "detections",
    "UserError": "errors",
    "load_detector": "detectors",
    "read_image": "images",
}


def __getattr__(name: str) -> Any:
    """Import the room in which a public name lives when the name is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'yolo_cli' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"yolo_cli.{_HOMES[name]}"), name)
