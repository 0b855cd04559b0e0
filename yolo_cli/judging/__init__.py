"""Detectors, or another program's results, held against a data set."""

from yolo_cli.judging.calibrating import Calibrated, Seen, calibrate, halves
from yolo_cli.judging.classes import ClassMatch, match_classes
from yolo_cli.judging.cross_check import Check, cross_check
from yolo_cli.judging.gates import Gate, missed_gates, read_gate
from yolo_cli.judging.gathering import gather
from yolo_cli.judging.results import Results, read_results

__all__ = [
    "Calibrated",
    "Check",
    "ClassMatch",
    "Gate",
    "Results",
    "Seen",
    "calibrate",
    "cross_check",
    "gather",
    "halves",
    "match_classes",
    "missed_gates",
    "read_gate",
    "read_results",
]
