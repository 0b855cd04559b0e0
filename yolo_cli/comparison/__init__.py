"""Compare several detectors on the same images, evaluated by the same rules."""

from yolo_cli.comparison.comparing import Comparison, compare
from yolo_cli.comparison.entries import ENTRIES, Entry, choose_entries
from yolo_cli.comparison.images import choose_images, open_images
from yolo_cli.comparison.measure import CONFIG, ComparisonRow, Measured, measure

__all__ = [
    "CONFIG",
    "ENTRIES",
    "Comparison",
    "ComparisonRow",
    "Entry",
    "Measured",
    "choose_entries",
    "choose_images",
    "compare",
    "measure",
    "open_images",
]
