"""Evaluation of detections against ground truth.

Gather images with :class:`Evaluator`, and pass the result to :func:`evaluate` for precision and recall. For
more, match once with :func:`match` and reuse the matches: :func:`report_of` gives the same figures,
:func:`diagnose` error types, :func:`confusion_matrix`, :func:`scored` with :func:`reliability` the
calibration of confidences, :func:`record_run` with :func:`compare_runs` a comparison with another run.

>>> import numpy as np
>>> from yolo_cli.detections import Detections, GroundTruth
>>> box = np.float32([[10, 10, 60, 60]])
>>> evaluator = Evaluator(("cat", "dog"))
>>> evaluator.add("a.jpg", Detections(box, np.float32([0.9]), np.array([0])), GroundTruth(box, np.array([0])))
>>> evaluate(evaluator.gathered()).map50
1.0
"""

from yolo_cli.evaluation.bootstrap import Difference, compare_runs
from yolo_cli.evaluation.calibration import (
    CalibrationFigures,
    CalibrationMap,
    CalibrationResult,
    calibrate,
    fit_calibration,
    random_halves,
)
from yolo_cli.evaluation.classes import ClassMatch, match_classes
from yolo_cli.evaluation.confusion import Confusion, confusion_matrix
from yolo_cli.evaluation.cross_check import Check, cross_check
from yolo_cli.evaluation.curves import Curve, OperatingPoint
from yolo_cli.evaluation.diagnosis import KINDS, Diagnosis, Kind, TideRule, diagnose
from yolo_cli.evaluation.evaluation_set import EvaluationSet, Evaluator
from yolo_cli.evaluation.gates import check_gates, missed_gates, missed_values, read_gates
from yolo_cli.evaluation.gathering import gather
from yolo_cli.evaluation.matching import Matches, match
from yolo_cli.evaluation.oks import KeypointFigures, keypoint_figures
from yolo_cli.evaluation.protocol import COCO, PROTOCOLS, VOC07, VOC10, Protocol, protocol
from yolo_cli.evaluation.reliability import RELIABLE_FROM, Reliability, Scored, reliability, scored
from yolo_cli.evaluation.report import (
    ClassFigures,
    Conditions,
    Report,
    SizeFigures,
    evaluate,
    gt_hash,
    report_of,
    thresholds_for_precision,
)
from yolo_cli.evaluation.results import Results, read_results
from yolo_cli.evaluation.run_record import RUN_FILE, RunRecord, record_run

__all__ = [
    "COCO",
    "KINDS",
    "PROTOCOLS",
    "RELIABLE_FROM",
    "RUN_FILE",
    "VOC07",
    "VOC10",
    "CalibrationFigures",
    "CalibrationMap",
    "CalibrationResult",
    "Check",
    "ClassFigures",
    "ClassMatch",
    "Conditions",
    "Confusion",
    "Curve",
    "Diagnosis",
    "Difference",
    "EvaluationSet",
    "Evaluator",
    "KeypointFigures",
    "Kind",
    "Matches",
    "OperatingPoint",
    "Protocol",
    "Reliability",
    "Report",
    "Results",
    "RunRecord",
    "Scored",
    "SizeFigures",
    "TideRule",
    "calibrate",
    "check_gates",
    "compare_runs",
    "confusion_matrix",
    "cross_check",
    "diagnose",
    "evaluate",
    "fit_calibration",
    "gather",
    "gt_hash",
    "keypoint_figures",
    "match",
    "match_classes",
    "missed_gates",
    "missed_values",
    "protocol",
    "random_halves",
    "read_gates",
    "read_results",
    "record_run",
    "reliability",
    "report_of",
    "scored",
    "thresholds_for_precision",
]
