"""Figures → text, plots, and one page that holds everything.

``analyse`` works out what there is to show; ``write_report`` writes the page, ``write_plots`` images of its
curves, ``summary`` a text for the terminal.
"""

from yolo_cli.report.analysis import RELIABLE_FROM, Analysis, analyse
from yolo_cli.report.page import About, Section, write_report
from yolo_cli.report.plots import write_plots
from yolo_cli.report.text import summary
from yolo_cli.report.training_curves import TrainingCurves, read_training_curves

__all__ = [
    "RELIABLE_FROM",
    "About",
    "Analysis",
    "Section",
    "TrainingCurves",
    "analyse",
    "read_training_curves",
    "summary",
    "write_plots",
    "write_report",
]
