"""Detections beside truth → figures.

Gather pictures with :class:`Evaluator`, then call :func:`evaluate` on what it gathered:

>>> import numpy as np
>>> from yolo_cli.detections import Detections, Truth
>>> box = np.float32([[10, 10, 60, 60]])
>>> judge = Evaluator(("cat", "dog"))
>>> judge.add("a.jpg", Detections(box, np.float32([0.9]), np.array([0])), Truth(box, np.array([0])))
>>> evaluate(judge.gathered()).map50
1.0
"""

from yolo_cli.evaluation.evaluation_set import EvaluationSet, Evaluator
from yolo_cli.evaluation.protocol import COCO, PROTOCOLS, VOC07, VOC10, Protocol, protocol
from yolo_cli.evaluation.report import Conditions, Report, evaluate, truth_hash

__all__ = [
    "COCO",
    "PROTOCOLS",
    "VOC07",
    "VOC10",
    "Conditions",
    "EvaluationSet",
    "Evaluator",
    "Protocol",
    "Report",
    "evaluate",
    "protocol",
    "truth_hash",
]
