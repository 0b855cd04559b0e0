"""Detections beside ground truth → figures.

Gather images with :class:`Evaluator`, then hand what it gathered to the function whose figures you want:
:func:`evaluate` for precision and recall, :func:`diagnose` for kinds of mistakes, :func:`confusion_matrix`,
:func:`outcomes` and :func:`reliability` for the worth of a confidence, :func:`record_run` and
:func:`compare_runs` to hold one run against another.

>>> import numpy as np
>>> from yolo_cli.detections import Detections, Ground truth
>>> box = np.float32([[10, 10, 60, 60]])
>>> judge = Evaluator(("cat", "dog"))
>>> judge.add("a.jpg", Detections(box, np.float32([0.9]), np.array([0])), GroundTruth(box, np.array([0])))
>>> evaluate(judge.gathered()).map50
1.0
"""

from yolo_cli.evaluation.bootstrap import Difference, compare_runs
from yolo_cli.evaluation.calibration import (
    CalibrationMap,
    Outcomes,
    Reliability,
    fit_calibration,
    outcomes,
    reliability,
    thresholds_for_precision,
)
from yolo_cli.evaluation.confusion import Confusion, confusion_matrix
from yolo_cli.evaluation.curves import Curve, OperatingPoint
from yolo_cli.evaluation.diagnosis import KINDS, Diagnosis, Kind, diagnose
from yolo_cli.evaluation.evaluation_set import EvaluationSet, Evaluator
from yolo_cli.evaluation.protocol import COCO, PROTOCOLS, VOC07, VOC10, Protocol, protocol
from yolo_cli.evaluation.report import ClassFigures, Conditions, Report, SizeFigures, evaluate, gt_hash
from yolo_cli.evaluation.run_record import RunRecord, record_run

__all__ = [
    "COCO",
    "KINDS",
    "PROTOCOLS",
    "VOC07",
    "VOC10",
    "CalibrationMap",
    "ClassFigures",
    "Conditions",
    "Confusion",
    "Curve",
    "Diagnosis",
    "Difference",
    "EvaluationSet",
    "Evaluator",
    "Kind",
    "OperatingPoint",
    "Outcomes",
    "Protocol",
    "Reliability",
    "Report",
    "RunRecord",
    "SizeFigures",
    "compare_runs",
    "confusion_matrix",
    "diagnose",
    "evaluate",
    "fit_calibration",
    "gt_hash",
    "outcomes",
    "protocol",
    "record_run",
    "reliability",
    "thresholds_for_precision",
]
