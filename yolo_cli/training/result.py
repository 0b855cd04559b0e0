"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from yolo_cli.evaluation import Report
from yolo_cli.training.events import State

__all__ = ["TrainResult"]


@dataclass(frozen=True, slots=True, eq=False)
class TrainResult:
    """The files of a trained model, and its figures.

    Attributes:
        out: the run's folder.
        keras, onnx: the files of the best model; the second is None if ONNX cannot be written.
        images: number of training images.
        report: figures on the validation images, on test with ``use_val``; None if the recipe does not
            evaluate.
        state: the epochs with their figures; empty if the recipe keeps no history.
        page: ``report.html``; None without a report.
    """

    out: Path
    keras: Path
    onnx: Path | None
    images: int
    report: Report | None = None
    state: State = field(default_factory=State)
    page: Path | None = None
