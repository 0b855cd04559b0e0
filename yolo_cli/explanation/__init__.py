"""Why a detector found what it found at one point of an image, in data and drawn.

It follows the trace of the detection itself, so it explains what detection really does.
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
