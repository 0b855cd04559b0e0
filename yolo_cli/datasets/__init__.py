"""Data sets: reading, checking (lint), fixing and splitting."""

from yolo_cli.datasets.corrections import Correction, read_corrections
from yolo_cli.datasets.findings import RULES, Finding, Rule
from yolo_cli.datasets.fixing import fix
from yolo_cli.datasets.holdout import hold_out
from yolo_cli.datasets.lint import Fixed, LintReport, lint
from yolo_cli.datasets.opening import TITLES, open_dataset, read_dataset
from yolo_cli.datasets.sample import UNSPLIT, Dataset, Sample
from yolo_cli.datasets.usable import open_usable, usable_part

__all__ = [
    "RULES",
    "TITLES",
    "UNSPLIT",
    "Correction",
    "Dataset",
    "Finding",
    "Fixed",
    "LintReport",
    "Rule",
    "Sample",
    "fix",
    "hold_out",
    "lint",
    "open_dataset",
    "open_usable",
    "read_corrections",
    "read_dataset",
    "usable_part",
]
