"""The summary of an evaluation for the terminal."""

from __future__ import annotations

from yolo_cli.evaluation import KINDS, ClassFigures
from yolo_cli.report.analysis import RELIABLE_FROM, Analysis
from yolo_cli.report.page import About
from yolo_cli.text_table import columns

__all__ = ["summary"]


def summary(analysis: Analysis, about: About) -> str:
    """Headline, classes and error types. It ends with a newline."""
    parts = [_headline(analysis, about), _classes(analysis), _keypoints(analysis), _mistakes(analysis)]
    return "\n".join(part for part in parts if part)


def _headline(analysis: Analysis, about: About) -> str:
    report, rules = analysis.report, analysis.report.protocol
    rows = [["mAP50", _figure(report.map50)], ["mAP50-95", _figure(report.map50_95)]]
    if rules.iou != 0.5:
        rows.insert(0, [f"mAP at IoU {rules.iou:g}", _figure(report.map)])
    if len(report.curve.confidence):
        point = report.curve.at(analysis.confidence)  # as on the page
        rows += [[name, _figure(getattr(point, name))] for name in ("precision", "recall", "f1")]
        rows.append(["at confidence", f"{analysis.confidence:.2f}"])
    if analysis.reliability.expected_calibration_error is not None:
        rows.append(
            [
                f"D-ECE from confidence {RELIABLE_FROM:g}",
                _figure(analysis.reliability.expected_calibration_error),
            ]
        )
    what = (
        f"{about.model} on {about.data}: {report.images:,} images, {report.curve.ground_truths:,} objects\n"
    )
    how = f"evaluated by {rules.name}: {rules.interpolation}, IoU {rules.iou:g}\n"
    return f"{what}{how}\n{columns(rows)}"


def _classes(analysis: Analysis) -> str:
    """One row per class with ground truth, best first."""
    counted = [figures for figures in analysis.report.per_class if figures.ground_truths]
    counted.sort(key=lambda figures: figures.ap or 0.0, reverse=True)
    if not counted:
        return ""
    other = [] if analysis.report.protocol.iou == 0.5 else [f"AP at {analysis.report.protocol.iou:g}"]
    head = ["class", "objects", *other, "AP50", "AP50-95", "precision", "recall", "at confidence"]
    return columns([head, *(_class(figures, bool(other)) for figures in counted)])


def _class(figures: ClassFigures, with_ap: bool) -> list[str]:
    best = figures.curve.best
    point = [best.precision, best.recall] if best else [None] * 2
    values = [*([figures.ap] if with_ap else []), figures.ap50, figures.ap50_95, *point]
    threshold = f"{best.confidence:.2f}" if best else "–"
    return [figures.class_name, str(figures.ground_truths), *map(_figure, values), threshold]


def _keypoints(analysis: Analysis) -> str:
    """The figures of key points, of all classes and of each, best first."""
    found = analysis.report.keypoints
    if found is None:
        return ""
    classes = sorted(found.per_class.items(), key=lambda each: -(each[1] or 0.0))
    sigmas = ", ".join(f"{sigma:g}" for sigma in dict.fromkeys(found.sigmas))
    rows = [
        [f"key points of {found.objects:,} objects", "AP50", "AP75", "AP50-95"],
        [f"by OKS, sigmas {sigmas}", *(_figure(found.figures[name]) for name in ("AP50", "AP75", "AP"))],
        *([name, "", "", _figure(ap)] for name, ap in classes if ap is not None),
    ]
    return columns(rows)


def _mistakes(analysis: Analysis) -> str:
    """One row per error type."""
    head = ["mistakes", f"count from confidence {analysis.confidence:.2f}", "costs AP50"]
    rows = [
        [kind, str(len(analysis.at_point.of(kind))), _figure(analysis.diagnosis.cost[kind])] for kind in KINDS
    ]
    return columns([head, *rows])


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
