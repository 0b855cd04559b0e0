"""One HTML file that holds everything: no network, no library, no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import yolo_cli
from yolo_cli.evaluation import KINDS, Curve, Difference, Kind, outcomes
from yolo_cli.files import atomic_write_text
from yolo_cli.report import svg
from yolo_cli.report.analysis import RELIABLE_FROM, Analysis
from yolo_cli.report.confusions import confusion_table, most_confused
from yolo_cli.report.examples import ReadImage, Shot, kind_shots, worst_shots
from yolo_cli.report.training_curves import TrainingCurves

__all__ = ["About", "Section", "write_report"]

Floats = NDArray[np.floating[Any]]

_THRESHOLDS = np.arange(101) / 100  # (101,), where the slider can stand

_EXPLAINED: Mapping[Kind, str] = {
    "classification": "the place is right, the class is wrong",
    "localisation": "the class is right, the box lies badly",
    "both": "the class is wrong, and the box lies badly",
    "duplicate": "a second box on an object that is found already",
    "background": "nothing is there",
    "missed": "an object that nothing found",
}


@dataclass(frozen=True, slots=True)
class About:
    """What was judged, for the head of the page.

    Attributes:
        model: the name of a model, or of another program's results file.
        data: the name of the data set, and its split.
        notes: what a reader must know: classes without a partner, images that could not be read.
        differences: how the figures compare with those of an earlier run.
    """

    model: str
    data: str
    notes: tuple[str, ...] = ()
    differences: Mapping[str, Difference] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page that the caller writes.

    Attributes:
        title: its heading.
        html: its content, which is trusted.
    """

    title: str
    html: str


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
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class _KindOfMistake:
    """A kind of mistake, what it costs, and some of them."""

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
    extra: Sequence[Section] = (),
) -> None:
    """Write a page about an evaluation: one file that needs no other, and no network.

    Args:
        path: where to.
        analysis: what the evaluation came to.
        about: what was judged.
        read: gives the image of a name; without it, the page has no images. An image that cannot be
            read (DataError) is left out.
        training_curves: how the training went.
        extra: further parts, which come last.

    Raises:
        DataError: if the file cannot be written.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("yolo_cli.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=_figure, signed=_signed, percent=_percent, tail=_tail)
    text = environment.get_template("report.html").render(
        **_figures(analysis, about),
        **_images(analysis, read),
        differences=about.differences,
        training=svg.training_charts(training_curves) if training_curves else [],
        extra=extra,
    )
    atomic_write_text(path, text)


def _figures(analysis: Analysis, about: About) -> dict[str, Any]:
    """Everything on the page but the images."""
    report = analysis.report
    operating = min(100, round(analysis.confidence * 100)) / 100
    precision, recall = _at_thresholds(report.curve)  # (101,), (101,)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)  # (101,)
    return {
        "about": about,
        "version": yolo_cli.__version__,
        "report": report,
        "protocol": {**report.to_json()["protocol"]},
        "best": report.curve.best,
        "operating": operating,
        "at_operating": report.curve.at(operating),
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
    """Kinds of mistakes with crops, and the worst images."""
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
    dearest = max([kind.cost for kind in kinds], default=0.0)
    return {"kinds": kinds, "dearest": dearest or 1.0, "worst": worst_shots(analysis, read) if read else []}


def _rows(analysis: Analysis, operating: float) -> list[_Row]:
    """The classes that have a object or a detection, the best first, those without object last."""
    rows = []
    for figures in analysis.report.per_class:
        if figures.ground_truths or figures.found:
            best, point = figures.curve.best, figures.curve.at(operating)
            rows.append(
                _Row(
                    figures.class_name,
                    figures.ground_truths,
                    figures.ap,
                    figures.ap50,
                    figures.ap50_95,
                    best.f1 if best and figures.ground_truths else None,
                    best.confidence if best and figures.ground_truths else None,
                    point.precision,
                    point.recall,
                )
            )
    return sorted(rows, key=lambda row: -1.0 if row.ap is None else row.ap, reverse=True)


def _at_thresholds(curve: Curve) -> tuple[Floats, Floats]:
    """Precision (101,) and recall (101,) at each place of the slider."""
    points = [curve.at(float(threshold)) for threshold in _THRESHOLDS]
    return np.array([p.precision for p in points]), np.array([p.recall for p in points])


def _live_data(analysis: Analysis, precision: Floats, recall: Floats) -> dict[str, Any]:
    """What the slider looks up: for each of its places the figures of all, and of each class."""
    protocol = analysis.report.protocol
    seen = outcomes(analysis.gathered, protocol, protocol.iou)
    order = np.argsort(seen.confidence, kind="stable")  # (N,)
    above = np.searchsorted(seen.confidence[order], _THRESHOLDS)  # (101,): so many lie below
    right_below = np.append(0, np.cumsum(seen.right[order]))  # (N + 1,)
    classes = {}
    for figures in analysis.report.per_class:
        if figures.ground_truths or figures.found:
            of_class = _at_thresholds(figures.curve)
            classes[figures.class_name] = [values.round(3).tolist() for values in of_class]
    return {
        "precision": precision.round(4).tolist(),
        "recall": recall.round(4).tolist(),
        "found": (len(order) - above).tolist(),
        "right": (right_below[-1] - right_below[above]).tolist(),
        "ground_truths": analysis.report.curve.ground_truths,
        "classes": classes,
    }


def _figure(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124  # NaN


def _signed(value: float, digits: int = 3) -> str:
    """A figure with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def _tail(name: str) -> str:
    """The last part of a path."""
    return name.rsplit("/", 1)[-1]


def _percent(value: float) -> str:
    """A share for a style sheet."""
    return f"{100 * min(max(value, 0.0), 1.0):.1f}%"
