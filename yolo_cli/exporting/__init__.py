"""Export a model to the formats of other run-times, with proof that it is still the same model."""

from yolo_cli.exporting.exporting import ALLOWED_LOSS, Evidence, export, target_of
from yolo_cli.exporting.plan import Form, Format, Plan
from yolo_cli.exporting.result import Exported

__all__ = ["ALLOWED_LOSS", "Evidence", "Exported", "Form", "Format", "Plan", "export", "target_of"]
