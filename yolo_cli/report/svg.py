"""Small charts as inline SVG, coloured by the page's style sheet for light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from yolo_cli.evaluation import Curve, Reliability, Report
from yolo_cli.report.training_curves import TrainingCurves

__all__ = ["Frame", "precision_recall", "reliability_diagram", "threshold_chart", "training_charts"]

Floats = NDArray[np.floating[Any]]

_CLASS_POINTS = 60  # points of a class's curve, enough for its width in pixels
_FEW = 30  # up to this number of values, each has a dot
_TITLES = {
    "box": "Box loss",
    "class": "Class loss",
    "distances": "Distance loss",
    "keypoints": "Key point loss",
    "keypoints_map": "OKS AP50–95",
    "map50": "mAP50",
    "map50_95": "mAP50–95",
    "objectness": "Objectness loss",
    "visible": "Visibility loss",
    "seconds": "Time since the start (seconds)",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """The plot area of a chart: values → coordinates.

    Attributes:
        x: the values at the left and right end.
        y: the values at the lower and upper end.
        width, height: of the whole chart, in its own units.
        left, right, top, bottom: margins around the plot area.
        x_ticks: values and labels of the x axis; None chooses round numbers.
    """

    x: tuple[float, float] = (0.0, 1.0)
    y: tuple[float, float] = (0.0, 1.0)
    width: int = 460
    height: int = 320
    left: int = 48
    right: int = 12
    top: int = 12
    bottom: int = 44
    x_ticks: tuple[tuple[float, str], ...] | None = None

    def across(self, value: float) -> float:
        """The x coordinate of a value."""
        low, high = self.x
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def down(self, value: float) -> float:
        """The y coordinate of a value."""
        low, high = self.y
        return (
            self.height - self.bottom - (value - low) / (high - low) * (self.height - self.top - self.bottom)
        )

    def points(self, xs: Sequence[float] | Floats, ys: Sequence[float] | Floats) -> str:
        """Coordinates for a polyline, without points that are not finite."""
        pairs = [(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(x) and math.isfinite(y)]
        return " ".join(f"{self.across(x):.1f},{self.down(y):.1f}" for x, y in pairs)

    def line(self, xs: Sequence[float] | Floats, ys: Sequence[float] | Floats, kind: str) -> Markup:
        """A line with the class ``kind``."""
        return Markup('<polyline class="{}" points="{}"/>').format(kind, self.points(xs, ys))

    def point(self, x: float, y: float) -> Markup:
        """A dot."""
        return Markup('<circle class="point" r="3.5" cx="{:.1f}" cy="{:.1f}"/>').format(
            self.across(x), self.down(y)
        )

    def drawing(self, title: str, axes: tuple[str, str], *parts: Markup) -> Markup:
        """The whole chart: axes with their names, and the parts drawn between them."""
        body = Markup("").join([self._axes(*axes), *parts])
        return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
            self.width, self.height, title, body
        )

    def _axes(self, x_name: str, y_name: str) -> Markup:
        bottom, middle = self.height - self.bottom, (self.top + self.height - self.bottom) / 2
        x_ticks = [(x, f"{x:g}") for x in ticks(*self.x)] if self.x_ticks is None else self.x_ticks
        marks = [self._x_mark(value, label, bottom) for value, label in x_ticks]
        marks += [self._y_mark(value) for value in ticks(*self.y)]
        names = Markup(
            '<text class="name" x="{:.1f}" y="{}" text-anchor="middle">{}</text>'
            '<text class="name" transform="translate(12 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>'
        ).format((self.left + self.width - self.right) / 2, self.height - 8, x_name, middle, y_name)
        return Markup("").join([*marks, names])

    def _x_mark(self, value: float, label: str, bottom: int) -> Markup:
        at = f"{self.across(value):.1f}"
        return Markup(
            '<line class="grid" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
            '<text x="{0}" y="{3}" text-anchor="middle">{4}</text>'
        ).format(at, self.top, bottom, bottom + 16, label)

    def _y_mark(self, value: float) -> Markup:
        at = self.down(value)
        return Markup(
            '<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>'
            '<text x="{3}" y="{4:.1f}" text-anchor="end">{5:g}</text>'
        ).format(self.left, self.width - self.right, at, self.left - 6, at + 4, value)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values from ``low`` to ``high``, about ``most`` at most.

    >>> ticks(0, 1), ticks(0, 37)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 10.0, 20.0, 30.0])
    """
    rough = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [round((first + place) * step, 10) for place in range(count)]


def precision_recall(report: Report) -> Markup:
    """Precision over recall: thin lines for classes, a thick one for all, and a dot that the page moves."""
    frame = Frame()
    lines = [
        _class_line(frame, figures.class_name, figures.curve)
        for figures in report.per_class
        if figures.ground_truths and len(figures.curve.confidence)
    ]
    whole = report.curve.thinned(200)
    lines.append(frame.line(whole.recall, whole.precision, "pool"))
    dot = Markup('<circle class="dot" id="pr-dot" r="6" cx="{:.1f}" cy="{:.1f}"/>').format(
        frame.across(0), frame.down(1)
    )
    return frame.drawing("Precision over recall, by class and for all", ("recall", "precision"), *lines, dot)


def _class_line(frame: Frame, name: str, curve: Curve) -> Markup:
    """The line of one class, which the page looks up by name."""
    thin = curve.thinned(_CLASS_POINTS)
    points = frame.points(thin.recall, thin.precision)
    return Markup(
        '<polyline class="of-class" data-class="{}" points="{}"><title>{}</title></polyline>'
    ).format(name, points, name)


def threshold_chart(thresholds: Floats, precision: Floats, recall: Floats, f1: Floats) -> Markup:
    """Precision, recall and F1 (N,) by confidence ``thresholds`` (N,), with a line that the page moves."""
    frame = Frame()
    cursor = Markup('<line class="cursor" id="cursor" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>').format(
        frame.across(0), frame.top, frame.height - frame.bottom
    )
    parts = [
        frame.line(thresholds, values, kind)
        for values, kind in ((precision, "precision"), (recall, "recall"), (f1, "f1"))
    ]
    names = ("confidence threshold", "precision, recall, F1")
    return frame.drawing("Precision, recall and F1 by confidence threshold", names, *parts, cursor)


def reliability_diagram(seen: Reliability) -> Markup:
    """A bar per bin of confidence: the fraction of correct detections. The diagonal is ideal."""
    frame = Frame()
    width = 1 / len(seen.count)
    bars = [
        _bar(frame, place * width, width, float(seen.precision[place]), int(seen.count[place]))
        for place in np.flatnonzero(seen.count).tolist()
    ]
    ideal = frame.line([0, 1], [0, 1], "ideal")
    names = ("confidence", "fraction correct")
    return frame.drawing("Fraction of correct detections by confidence", names, *bars, ideal)


def _bar(frame: Frame, start: float, width: float, height: float, count: int) -> Markup:
    left, right, top = frame.across(start), frame.across(start + width), frame.down(height)
    what = f"confidence {start:.2f} to {start + width:.2f}: {height:.0%} of {count} correct"
    return Markup(
        '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
    ).format(left + 1, top, right - left - 2, frame.down(0) - top, what)


def training_charts(curves: TrainingCurves) -> list[tuple[str, Markup]]:
    """Title and chart of each figure of a training."""
    return [
        (title, _training_chart(title, curves.epochs, values))
        for title, values in ((_title(name), values) for name, values in curves.figures.items())
    ]


def _title(name: str) -> str:
    """The title of a column of ``results.csv``, with its unit."""
    return _TITLES.get(name, name.replace("_", " ").capitalize())


def _training_chart(title: str, epochs: Sequence[float], values: Sequence[float]) -> Markup:
    """One figure by epoch, with dots if there are few values."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(0.0, *finite), max(finite)
    first, last = min(epochs), max(*epochs, min(epochs) + 1)
    y = (low, high if high > low else low + 1)
    marks = tuple((x, f"{x:g}") for x in ticks(first, last) if x == round(x))
    left = 14 + 8 * max(len(f"{value:g}") for value in ticks(*y))
    frame = Frame((first, last), y, width=320, height=200, left=left, x_ticks=marks)
    parts = [frame.line(epochs, values, "pool")]
    if len(finite) <= _FEW:
        parts += [frame.point(x, v) for x, v in zip(epochs, values, strict=True) if math.isfinite(v)]
    return frame.drawing(f"{title} by epoch", ("epoch", ""), *parts)
