"""For YOLO: the predictions of each anchor of the cells at a point, and the outcomes of the boxes over it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Head, decode
from yolo_cli.detectors.trace import GridOutput
from yolo_cli.distances import mean_distances
from yolo_cli.errors import DataError
from yolo_cli.explanation.details import Panel
from yolo_cli.explanation.drawing import WHITE, draw_frame, numbered_as_text, with_boxes
from yolo_cli.explanation.legend import Entry
from yolo_cli.explanation.outcomes import BoxOutcome, Suppression, covers
from yolo_cli.explanation.text import indented
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox

__all__ = [
    "CellAnchor",
    "CellExplanation",
    "CellPrediction",
    "anchor_box",
    "cell_anchor",
    "draw_grid",
    "explain_grid",
]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Box = tuple[float, ...]

_YELLOW = (255, 220, 0)
_CELL = Entry("filled", _YELLOW, 0, "cell that holds the point")
# What predicts a box, and the title of its raw values.
_WITH_ANCHORS = ("anchor", "raw: tx ty tw th, objectness, class")
_WITHOUT_ANCHORS = ("cell", "left top right bottom in cells, raw class")
ANYTHING = -1.0  # below every confidence


@dataclass(frozen=True, slots=True)
class CellAnchor:
    """One anchor of one cell of one head.

    Attributes:
        head: index of the head.
        row, column: the cell in the head's grid.
        anchor: index of the anchor in its head.
        stride: side of a cell in pixels of the network's input.
        anchor_size: width and height of the anchor in pixels of the network's input; None for a head without
            anchors, where the cell predicts one box.
    """

    head: int
    row: int
    column: int
    anchor: int
    stride: int
    anchor_size: tuple[float, float] | None

    @property
    def origin(self) -> str:
        """A description of the cell and anchor."""
        cell = f"stride {self.stride}, row {self.row}, column {self.column}"
        if self.anchor_size is None:
            return cell
        wide, high = self.anchor_size
        return f"{cell}, anchor {wide:g}x{high:g}"


@dataclass(frozen=True, slots=True)
class CellPrediction:
    """The prediction of one anchor of one cell.

    Attributes:
        source: the cell and anchor.
        raw: tx, ty, tw, th and objectness, before the sigmoid; without anchors, the distances of the left,
            top, right and bottom side from the cell's upper left corner, in cells.
        class_id: the most likely class.
        raw_class: the value of that class, before the sigmoid.
        confidence: of that class, before any calibration.
        xyxy: the box in pixels of the image; it may extend beyond it.
    """

    source: CellAnchor
    raw: tuple[float, ...]
    class_id: int
    raw_class: float
    confidence: float
    xyxy: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CellExplanation:
    """YOLO's predictions at one point, and the outcomes of its boxes.

    Attributes:
        point: x and y in pixels of the image.
        network_point: the same in pixels of the network's input, and that input's width and height.
        predictions: of every anchor of the cells that hold the point, most confident first.
        outcomes: of boxes over the point and those that suppressed them, most confident first.
        threshold: IoU threshold for NMS.
        rule: the rule of suppression.
        letterbox: how the image was fitted into the network's input.
    """

    point: tuple[float, float]
    network_point: tuple[float, float]
    predictions: tuple[CellPrediction, ...]
    outcomes: tuple[BoxOutcome[CellAnchor], ...]
    threshold: float
    rule: str
    letterbox: Letterbox

    @property
    def legend(self) -> tuple[Entry, ...]:
        """Entries for the cell, and for its anchors if it has any."""
        anchor = Entry("frame", WHITE, 1, "anchor of that cell")
        return (_CELL, anchor) if self._anchors else (_CELL,)

    @property
    def _anchors(self) -> bool:
        return any(prediction.source.anchor_size for prediction in self.predictions)

    def lines(self, image: str, class_names: tuple[str, ...]) -> Iterator[str]:
        """The predictions of the cells at the point."""
        (x, y), (net_x, net_y), box = self.point, self.network_point, self.letterbox
        size = f"{box.net_height}x{box.net_width}"  # as --imgsz takes it
        yield f"{image} at {x:g},{y:g}: that is {net_x:.1f},{net_y:.1f} of the network's input, {size}"
        yield ""
        each, values = _WITH_ANCHORS if self._anchors else _WITHOUT_ANCHORS
        yield f"Predictions of the cells at this point, for each {each} its likeliest class:"
        rows: list[tuple[str, ...]] = [("confidence", "class", "from", values)]
        rows += [_row(prediction, class_names) for prediction in self.predictions]
        yield from indented(rows)

    def panels(self, image: Image, class_names: tuple[str, ...], scale: float) -> list[Panel]:
        """A panel per head: its grid with the point's cell, that cell's anchors and the head's boxes."""
        outcomes, panels = numbered_as_text(self.outcomes), []
        for head in sorted({prediction.source.head for prediction in self.predictions}):
            places = [one.source for one in self.predictions if one.source.head == head]
            canvas, stride, box = image.rgb.copy(), places[0].stride, self.letterbox
            draw_grid(canvas, box, places[0], scale)
            for place in places:
                if place.anchor_size:
                    draw_frame(canvas, anchor_box(place, place.anchor_size, box), WHITE, scale)
            own = [(number, outcome) for number, outcome in outcomes if outcome.source.head == head]
            rows, columns = (math.ceil(side / stride) for side in (box.net_height, box.net_width))
            title = f"stride {stride}: {rows} x {columns} cells"
            panels.append((title, with_boxes(Image(canvas), own, class_names, scale)))
        return panels


def explain_grid(grid: GridOutput, suppression: Suppression, point: tuple[float, float]) -> CellExplanation:
    """The predictions at ``point`` (x, y in pixels of the image), and the outcomes of the boxes over it."""
    inside = grid.letterbox.forward(np.array([[*point, *point]], float))[0, :2]  # (2,)
    return CellExplanation(
        point,
        (float(inside[0]), float(inside[1])),
        _predictions(grid, inside),
        suppression.outcomes(covers(suppression.xyxy, point), lambda slot: cell_anchor(slot, grid)),
        suppression.rule.threshold,
        suppression.rule.kind,
        grid.letterbox,
    )


def _predictions(grid: GridOutput, inside: Floats) -> tuple[CellPrediction, ...]:
    """The predictions of every anchor of the cells that hold the point, (2,) in pixels of the network."""
    found = []
    for number, (raw, head) in enumerate(zip(grid.raw_heads, grid.heads, strict=True)):
        column, row = (int(value // head.stride) for value in inside)
        for anchor, size in enumerate(head.anchors or (None,)):
            source = CellAnchor(number, row, column, anchor, head.stride, size)
            found.append(_prediction(raw, head, source, grid.letterbox))
    return tuple(sorted(found, key=lambda prediction: -prediction.confidence))


def _prediction(raw: Floats, head: Head, source: CellAnchor, letterbox: Letterbox) -> CellPrediction:
    """The most likely class of one anchor of one cell, decoded by the codec."""
    values = raw.reshape(*raw.shape[:2], head.boxes, -1)[source.row, source.column, source.anchor]
    every = decode([raw], [head], ANYTHING)
    slot = (source.row * raw.shape[1] + source.column) * head.boxes + source.anchor
    own = every[np.flatnonzero(every.slot == slot)]  # one per class
    if not len(own):  # values that are not finite give none
        raise DataError(f"the model's output at stride {source.stride} is not finite there; take another one")
    best = int(own.confidence.argmax())
    class_id = int(own.class_id[best])
    xyxy = letterbox.undo(own.xyxy[best : best + 1])[0]  # (4,)
    box, raw_class = _raw_values(values, class_id, head)
    return CellPrediction(
        source,
        box,
        class_id,
        raw_class,
        float(own.confidence[best]),
        tuple(xyxy.tolist()),
    )


def _raw_values(values: Floats, class_id: int, head: Head) -> tuple[tuple[float, ...], float]:
    """`CellPrediction.raw` and the raw value of a class, from the values of one box (V,)."""
    if head.kind == "gfl":
        distances = mean_distances(values[head.class_count :], head.bins)  # (4,)
        return tuple(distances.tolist()), float(values[class_id])
    return tuple(values[:5].tolist()), float(values[5 + class_id])


def cell_anchor(slot: int, grid: GridOutput) -> CellAnchor:
    """The cell and anchor of a slot, counted through all heads."""
    for number, (raw, head) in enumerate(zip(grid.raw_heads, grid.heads, strict=True)):
        count = raw.shape[0] * raw.shape[1] * head.boxes
        if slot < count:
            cell, anchor = divmod(slot, head.boxes)
            row, column = divmod(cell, raw.shape[1])
            size = head.anchors[anchor] if head.anchors else None
            return CellAnchor(number, row, column, anchor, head.stride, size)
        slot -= count
    raise AssertionError("a slot beyond the last head")


def _row(prediction: CellPrediction, class_names: tuple[str, ...]) -> tuple[str, ...]:
    box = " ".join(f"{value:.2f}" for value in prediction.raw[:4])
    values = ", ".join([box, *(f"{value:.2f}" for value in (*prediction.raw[4:], prediction.raw_class))])
    name = class_names[prediction.class_id]
    return f"{prediction.confidence:.4f}", name, prediction.source.origin, values


def draw_grid(canvas: Pixels, box: Letterbox, place: CellAnchor, scale: float) -> None:
    """Draw thin lines between the cells of one head, and tint the cell of ``place`` yellow.

    Args:
        canvas: the image enlarged by ``scale``, (H, W, 3); it is drawn on.
        box: how the image was fitted into the network's input.
        place: its head's stride and its cell are used.
        scale: of the canvas.
    """
    stride = place.stride
    for column in range(0, box.net_width + 1, stride):
        x = round(_to_image((column, 0, column, 0), box)[0] * scale)
        if 0 <= x < canvas.shape[1]:
            canvas[:, x] = _contrasting(canvas[:, x])
    for row in range(0, box.net_height + 1, stride):
        y = round(_to_image((0, row, 0, row), box)[1] * scale)
        if 0 <= y < canvas.shape[0]:
            canvas[y] = _contrasting(canvas[y])
    left, top = place.column * stride, place.row * stride
    cell = _to_image((left, top, left + stride, top + stride), box)
    x1, y1, x2, y2 = (max(0, round(edge * scale)) for edge in cell)
    canvas[y1:y2, x1:x2] = canvas[y1:y2, x1:x2] // 2 + np.array(_YELLOW, np.uint8) // 2


def _contrasting(line: Any) -> Any:
    """Pixels (N, 3): dark ones lightened, light ones darkened."""
    dark = line.mean(axis=1, keepdims=True) < 128  # (N, 1)
    return (line.astype(int) + np.where(dark, 255, 0)) // 2


def anchor_box(place: CellAnchor, size: tuple[float, float], box: Letterbox) -> Box:
    """An anchor of a size (width, height) in the middle of its cell, in pixels of the image."""
    x, y = (place.column + 0.5) * place.stride, (place.row + 0.5) * place.stride
    wide, high = size
    return _to_image((x - wide / 2, y - high / 2, x + wide / 2, y + high / 2), box)


def _to_image(xyxy: Box, box: Letterbox) -> Box:
    """A box in pixels of the network's input → pixels of the image."""
    return tuple(box.undo(np.array([xyxy], float))[0].tolist())
