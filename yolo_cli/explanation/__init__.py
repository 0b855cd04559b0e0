"""Explain a detector's predictions at one point of an image, as data and as an image.

The explanation is built from the trace of the actual detection.
"""

from yolo_cli.explanation.drawing import draw_explanation
from yolo_cli.explanation.explaining import explain, to_dict
from yolo_cli.explanation.grid import CellAnchor, CellPrediction, Explanation
from yolo_cli.explanation.outcomes import BoxOutcome
from yolo_cli.explanation.regions import Region, RegionExplanation, RegionPrediction

__all__ = [
    "BoxOutcome",
    "CellAnchor",
    "CellPrediction",
    "Explanation",
    "Region",
    "RegionExplanation",
    "RegionPrediction",
    "draw_explanation",
    "explain",
    "to_dict",
]
