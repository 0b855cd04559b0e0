"""The comparison as an HTML page: accuracy against time, images side by side, heat maps of arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.comparison.arithmetic import arithmetic_map, colour_scale, decades, heat_colours
from yolo_cli.comparison.chart import accuracy_chart
from yolo_cli.comparison.measure import ComparisonRow, Measured
from yolo_cli.datasets import Dataset, Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.errors import DataError
from yolo_cli.evaluation import match_classes
from yolo_cli.files import atomic_write_text
from yolo_cli.images import Image
from yolo_cli.render import class_colour
from yolo_cli.report.html import jpeg_url, render_page, shrunk
from yolo_cli.text import counted
from yolo_cli.version import __version__

__all__ = ["write_page"]

_TEMPLATE = Path(__file__).parent / "templates" / "comparison.html"
_SHOWN, _SIDE = 4, 480  # images, and their longer side in pixels
_CONFIDENT = 0.3  # only boxes above this are drawn: the many below it would hide the image
_UNSEEN = "not reached within the time limit"


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle on an image: x, y, width, height, class and label."""

    corners: tuple[float, ...]
    class_name: str
    words: str


@dataclass(frozen=True, slots=True)
class _Panel:
    """An image with the boxes of one detector; None if the detector did not reach it."""

    title: str
    note: str
    boxes: tuple[_Box, ...] | None

    @property
    def counts(self) -> Counter[str]:
        """Number of boxes per class."""
        return Counter(box.class_name for box in self.boxes or ())


@dataclass(frozen=True, slots=True)
class _Shown:
    """An image with the detections of each detector."""

    name: str
    href: str
    width: int
    height: int
    panels: list[_Panel]


@dataclass(frozen=True, slots=True)
class _Heat:
    """The heat map of one detector's arithmetic."""

    name: str
    href: str
    amount: str


def write_page(path: Path, measured: Sequence[Measured], data: Dataset, title: str) -> None:
    """Write one self-contained HTML file.

    Args:
        path: the file to write.
        measured: the detectors, in the order of the page.
        data: the images; the heat maps show the first.
        title: the title of the page.

    Raises:
        DataError: if it cannot be written.
    """
    rows = [one.row for one in measured]
    shown = [_side_by_side(sample, measured, data) for sample in data.samples[:_SHOWN]]
    heat, scale = _heat(measured, data.samples[0].read())
    text = render_page(
        _TEMPLATE,
        title=title,
        version=__version__,
        rows=rows,
        trained=_trained(rows),
        chart=accuracy_chart(rows),
        images=shown,
        colours=_colours(shown),
        heat=heat,
        scale=scale,
        confident=_CONFIDENT,
    )
    atomic_write_text(path, text)


def _trained(rows: Sequence[ComparisonRow]) -> dict[str, list[str]]:
    """Training data: each text once, with the detectors that it applies to."""
    trained: dict[str, list[str]] = {}
    for row in rows:
        trained.setdefault(row.trained_on, []).append(f"{row.name} ({row.weights})")
    return trained


def _side_by_side(sample: Sample, measured: Sequence[Measured], data: Dataset) -> _Shown:
    """One image with its ground truth, if it has any, and the boxes of each detector."""
    image = sample.read()
    small, scale = shrunk(image.rgb, _SIDE)
    panels = [_found(sample.name, one, data, scale) for one in measured]
    if len(sample.ground_truth):
        panels.insert(0, _ground_truth(sample.ground_truth, data, scale))
    return _Shown(sample.name, jpeg_url(small), small.shape[1], small.shape[0], panels)


def _ground_truth(ground_truth: GroundTruth, data: Dataset, scale: float) -> _Panel:
    names = [data.class_names[class_id] for class_id in ground_truth.class_id]
    boxes = [
        _Box(_corners(xyxy, scale), name, name) for xyxy, name in zip(ground_truth.xyxy, names, strict=True)
    ]
    return _Panel("ground truth", _objects(len(boxes)), tuple(boxes))


def _objects(count: int) -> str:
    return counted(count, "object")


def _found(name: str, one: Measured, data: Dataset, scale: float) -> _Panel:
    """The detections on the image ``name``, the most confident on top."""
    if name not in one.found:
        return _Panel(one.row.name, _UNSEEN, None)
    found: Detections = one.found[name]
    found = found[found.confidence > _CONFIDENT]
    class_names = _common_names(one.class_names, data.class_names)
    boxes = [
        _Box(
            _corners(found.xyxy[at], scale),
            class_names[found.class_id[at]],
            f"{class_names[found.class_id[at]]} {found.confidence[at]:.2f}",
        )
        for at in np.argsort(found.confidence, kind="stable")
    ]
    return _Panel(one.row.name, counted(len(boxes), "box"), tuple(boxes))


def _common_names(model: Sequence[str], data: Sequence[str]) -> list[str]:
    """A model's class names in the words of the data set, so that each class has one name and colour."""
    try:
        match = match_classes(model, data)
    except DataError:  # no class in common
        return list(model)
    return [
        match.names[place] if place >= 0 else name
        for name, place in zip(model, match.of_model.tolist(), strict=True)
    ]


def _corners(xyxy: NDArray[Any], scale: float) -> tuple[float, ...]:
    """x, y, width and height in pixels of the panel."""
    x1, y1, x2, y2 = (float(edge) * scale for edge in xyxy)
    return tuple(round(value, 1) for value in (x1, y1, x2 - x1, y2 - y1))


def _colours(shown: Sequence[_Shown]) -> dict[str, str]:
    """A distinct CSS colour for each class on the page."""
    names = dict.fromkeys(name for image in shown for panel in image.panels for name in panel.counts)
    return {name: "rgb({},{},{})".format(*class_colour(place)) for place, name in enumerate(names)}


def _heat(measured: Sequence[Measured], image: Image) -> tuple[list[_Heat], Any]:
    """The heat map of each detector, and their common colour scale."""
    maps = [arithmetic_map(one, image.height, image.width) for one in measured]
    span = decades(maps)
    panels = [
        _Heat(
            one.row.name,
            jpeg_url(shrunk(heat_colours(spent, span), _SIDE)[0]),
            f"{one.row.multiply_accumulates / 1e9:,.1f} billion",
        )
        for one, spent in zip(measured, maps, strict=True)
    ]
    return panels, colour_scale(span)
