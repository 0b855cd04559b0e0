"""Explain a detector's predictions at one point of an image, as data, as text and as an image.

The explanation is built from the trace of the actual detection.
"""

from yolo_cli.explanation.drawing import draw_explanation
from yolo_cli.explanation.explaining import explain
from yolo_cli.explanation.grid import CellAnchor, CellExplanation, CellPrediction
from yolo_cli.explanation.outcomes import BoxOutcome
from yolo_cli.explanation.regions import Region, RegionExplanation, RegionPrediction
from yolo_cli.explanation.result import Explanation, Plotted

__all__ = [
    "BoxOutcome",
    "CellAnchor",
    "CellExplanation",
    "CellPrediction",
    "Explanation",
    "Plotted",
    "Region",
    "RegionExplanation",
    "RegionPrediction",
    "draw_explanation",
    "explain",
]
