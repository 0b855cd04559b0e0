"""Anchors, the box sizes that a network's heads scale: their files, and fitting them to boxes."""

from yolo_cli.anchors.drawing import draw_anchors
from yolo_cli.anchors.kmeans import anchor_figures, best_possible_recall, fit_anchors, mean_iou
from yolo_cli.anchors.sizes import Anchors, known_anchors, read_anchors, write_anchors

__all__ = [
    "Anchors",
    "anchor_figures",
    "best_possible_recall",
    "draw_anchors",
    "fit_anchors",
    "known_anchors",
    "mean_iou",
    "read_anchors",
    "write_anchors",
]
