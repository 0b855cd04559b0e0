"""The bundled models."""

from __future__ import annotations

MODELS = {
    "yolo": "yolov4-tiny-coco",
    "localisation": "localisation-voc",
    "sliding-window": "windows-voc",
    "conv-sliding-window": "windows-voc",
    "rcnn": "rcnn-voc",
    "fast-rcnn": "fast-rcnn-voc",
    "faster-rcnn": "faster-rcnn-voc",
}
"""By the kind of detector."""
