"""The evaluation report as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.evaluation import KINDS, ClassFigures, Curve, Difference, Kind, scored
from yolo_cli.files import atomic_write_text
from yolo_cli.report import svg
from yolo_cli.report.analysis import RELIABLE_FROM, Analysis
from yolo_cli.report.confusions import confusion_table, most_confused
from yolo_cli.report.examples import ReadImage, Shot, kind_shots, whole_shots
from yolo_cli.report.html import render_page
from yolo_cli.report.pseudo_labels import PseudoLabelFigures
from yolo_cli.report.training_curves import TrainingCurves
from yolo_cli.version import __version__

__all__ = ["About", "write_report"]

Floats = NDArray[np.floating[Any]]

_TEMPLATE = Path(__file__).parent / "templates" / "report.html"
_THRESHOLDS = np.arange(101) / 100  # (101,), the positions of the slider

_EXPLAINED: Mapping[Kind, str] = {
    "classification": "the box is right, the class is wrong",
    "localisation": "the class is right, the box is inaccurate",
    "both": "the class is wrong, and the box is inaccurate",
    "duplicate": "a second box on an object that is already detected",
    "background": "a box where there is no object",
    "missed": "an object without a detection",
}


@dataclass(frozen=True, slots=True)
class About:
    """The header of the page: what was evaluated.

    Attributes:
        model: the name of a model, or of another program's results file.
        data: the name of the data set, and its split.
        notes: notes for the reader, such as unmatched classes and unreadable images.
        differences: comparison with an earlier run.
        lint: the command that finds label errors with this model, or "".
    """

    model: str
    data: str
    notes: tuple[str, ...] = ()
    differences: Mapping[str, Difference] = field(default_factory=dict)
    lint: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """One class in the table."""

    name: str
    ground_truths: int
    ap: float | None
    ap50: float | None
    ap50_95: float | None
    f1: float | None
    confidence: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class _KindOfMistake:
    """An error type, its cost, and examples."""

    name: Kind
    meaning: str
    count: int
    cost: float
    shots: list[Shot] = field(default_factory=list)


def write_report(
    path: Path,
    analysis: Analysis,
    about: About,
    read: ReadImage | None = None,
    *,
    training_curves: TrainingCurves | None = None,
    pseudo_labels: PseudoLabelFigures | None = None,
) -> None:
    """Write the report of an evaluation as one self-contained HTML file.

    Args:
        path: the file to write.
        analysis: the figures.
        about: what was evaluated.
        read: returns the image with a given name; None leaves out all images. An image that raises DataError
            is left out.
        training_curves: losses and figures by epoch.
        pseudo_labels: what the model learnt from images without labels.

    Raises:
        DataError: if the file cannot be written.
    """
    text = render_page(
        _TEMPLATE,
        **_figures(analysis, about),
        **_images(analysis, read),
        differences=about.differences,
        training=svg.training_charts(training_curves) if training_curves else [],
        pseudo_labels=pseudo_labels,
    )
    atomic_write_text(path, text)


def _figures(analysis: Analysis, about: About) -> dict[str, Any]:
    """The values of the page, without images."""
    report, operating = analysis.report, analysis.confidence
    precision, recall = _at_thresholds(report.curve)  # (101,), (101,)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)  # (101,)
    f1[np.isnan(precision) & ~np.isnan(recall)] = 0  # nothing was detected
    return {
        "about": about,
        "version": __version__,
        "report": report,
        "protocol": {**report.to_json()["protocol"]},
        "any_found": len(report.curve.confidence) > 0,
        "operating": operating,
        "at_operating": report.curve.at(operating),
        "precision": report.curve.at(operating).precision,
        "rows": _rows(analysis, operating),
        "data": _live_data(analysis, precision, recall),
        "pr_chart": svg.precision_recall(report),
        "threshold_chart": svg.threshold_chart(_THRESHOLDS, precision, recall, f1),
        "reliability": analysis.reliability,
        "reliable_from": RELIABLE_FROM,
        "reliability_chart": svg.reliability_diagram(analysis.reliability),
        "confusion": confusion_table(analysis.confusion),
        "confused": most_confused(analysis.confusion),
        "frame": svg.Frame(),
    }


def _images(analysis: Analysis, read: ReadImage | None) -> dict[str, Any]:
    """Error types with crops, and whole images."""
    kinds = [
        _KindOfMistake(
            kind,
            _EXPLAINED[kind],
            len(analysis.at_point.of(kind)),
            analysis.diagnosis.cost[kind],
            kind_shots(analysis, kind, read) if read else [],
        )
        for kind in KINDS
    ]
    highest = max([kind.cost for kind in kinds], default=0.0)
    return {"kinds": kinds, "highest": highest or 1.0, "shots": whole_shots(analysis, read) if read else []}


def _rows(analysis: Analysis, operating: float) -> list[_Row]:
    """The classes with an object or a detection, best first; those without objects last."""
    rows = [
        _row(figures, operating)
        for figures in analysis.report.per_class
        if figures.ground_truths or figures.found
    ]
    return sorted(rows, key=lambda row: -1.0 if row.ap is None else row.ap, reverse=True)


def _row(figures: ClassFigures, operating: float) -> _Row:
    """The row of one class; best F1 only if it has a true positive."""
    curve = figures.curve
    best = curve.best if curve.best and curve.best.f1 else None
    return _Row(
        figures.class_name,
        figures.ground_truths,
        figures.ap,
        figures.ap50,
        figures.ap50_95,
        best.f1 if best else None,
        best.confidence if best else None,
        curve.at(operating).precision,
        curve.at(operating).recall,
    )


def _at_thresholds(curve: Curve) -> tuple[Floats, Floats]:
    """Precision (101,), NaN without detections, and recall (101,), NaN without objects, of the slider."""
    points = [curve.at(threshold) for threshold in _THRESHOLDS.tolist()]
    precision = np.array([point.precision for point in points], float)
    return precision, np.array([point.recall for point in points], float)


def _plain(values: Floats) -> list[float | None]:
    """Values for JSON, with null for NaN; more digits than shown, so that none is rounded twice."""
    return [None if value != value else value for value in values.round(6).tolist()]  # noqa: PLR0124


def _live_data(analysis: Analysis, precision: Floats, recall: Floats) -> dict[str, Any]:
    """The data of the slider: for each position the figures over all classes, and of each class."""
    seen = scored(analysis.matches, analysis.report.protocol.iou)
    order = np.argsort(seen.confidence, kind="stable")  # (N,)
    above = np.searchsorted(seen.confidence[order], _THRESHOLDS)  # (101,): number below
    right_below = np.append(0, np.cumsum(seen.correct[order]))  # (N + 1,)
    classes = {}
    for figures in analysis.report.per_class:
        if figures.ground_truths or figures.found:
            of_class = _at_thresholds(figures.curve)
            classes[figures.class_name] = [_plain(values) for values in of_class]
    return {
        "precision": _plain(precision),
        "recall": _plain(recall),
        "found": (len(order) - above).tolist(),
        "right": (right_below[-1] - right_below[above]).tolist(),
        "ground_truths": analysis.report.curve.ground_truths,
        "classes": classes,
    }
