"""The result of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

from yolo_cli.evaluation import Report
from yolo_cli.evaluation.verification import Verification
from yolo_cli.text import Jsonable, counted
from yolo_cli.training.events import State

__all__ = ["EmbeddingResult", "TrainResult"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TrainResult(Jsonable):
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

    def __repr__(self) -> str:
        return f"<TrainResult {self.out}: {self.summary}>"

    @property
    def summary(self) -> str:
        """How much was learnt from, or how good the model is where that was measured."""
        report = self.report
        if report is None:
            return f"trained on {counted(self.images, 'image')}"
        images = counted(report.images, "image")
        if report.map50 is None or report.map50_95 is None:
            return f"trained on {counted(self.images, 'image')}; {images} to evaluate on, without any object"
        return f"mAP50 {report.map50:.3f}, mAP50-95 {report.map50_95:.3f} on {images}"

    def to_dict(self) -> dict[str, Any]:
        """Files, figures and epochs as plain data."""
        files = {"out": self.out, "keras": self.keras, "onnx": self.onnx, "page": self.page}
        rows = self.state.history
        return {
            **{name: path and str(path) for name, path in files.items()},
            "images": self.images,
            "report": self.report and self.report.to_json(),
            "epochs": [{key: None if isnan(value) else value for key, value in row.items()} for row in rows],
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EmbeddingResult(Jsonable):
    """The files of a trained embedding, and how well it tells identities apart.

    Attributes:
        out: the run's folder.
        keras, onnx: the model's files; the second is None if ONNX cannot be written.
        images, identities: number of training images, and of identities on them.
        figures: on identities that were held out.
    """

    out: Path
    keras: Path
    onnx: Path | None
    images: int
    identities: int
    figures: Verification

    def __repr__(self) -> str:
        return f"<EmbeddingResult {self.out}: {self.summary}>"

    @property
    def summary(self) -> str:
        """How good the model is."""
        return str(self.figures)

    def to_dict(self) -> dict[str, Any]:
        """Files and figures as plain data."""
        files = {"out": self.out, "keras": self.keras, "onnx": self.onnx}
        counts = {"images": self.images, "identities": self.identities}
        paths = {name: path and str(path) for name, path in files.items()}
        return {**paths, **counts, "verification": self.figures.to_dict()}
