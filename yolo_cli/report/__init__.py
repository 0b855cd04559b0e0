"""Reports of an evaluation: text, plots, and one self-contained page.

``analyse`` computes what is shown; ``write_report`` writes the page, ``write_plots`` its curves as image
files, ``summary`` the text for the terminal; `EvaluationResult` is all that `yolo eval` gives.
"""

from yolo_cli.report.analysis import RELIABLE_FROM, Analysis, analyse
from yolo_cli.report.page import About, write_report
from yolo_cli.report.plots import write_plots
from yolo_cli.report.result import EvaluationResult
from yolo_cli.report.text import summary
from yolo_cli.report.training_curves import TrainingCurves, read_training_curves

__all__ = [
    "RELIABLE_FROM",
    "About",
    "Analysis",
    "EvaluationResult",
    "TrainingCurves",
    "analyse",
    "read_training_curves",
    "summary",
    "write_plots",
    "write_report",
]
