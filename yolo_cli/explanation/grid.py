"""For YOLO: the predictions of each anchor of the cells at a point, and the outcomes of the boxes over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Head, decode
from yolo_cli.detectors.trace import GridOutput
from yolo_cli.explanation.outcomes import BoxOutcome, Suppression, covers
from yolo_cli.letterbox import Letterbox

__all__ = ["CellAnchor", "CellExplanation", "CellPrediction", "explain_grid"]

Floats = NDArray[np.floating[Any]]
ANYTHING = -1.0  # below every confidence


@dataclass(frozen=True, slots=True)
class CellAnchor:
    """One anchor of one cell of one head.

    Attributes:
        head: index of the head.
        row, column: the cell in the head's grid.
        anchor: index of the anchor in its head.
        stride: side of a cell in pixels of the network's input.
        anchor_size: width and height of the anchor in pixels of the network's input.
    """

    head: int
    row: int
    column: int
    anchor: int
    stride: int
    anchor_size: tuple[float, float]

    @property
    def origin(self) -> str:
        """A description of the cell and anchor."""
        wide, high = self.anchor_size
        return f"stride {self.stride}, row {self.row}, column {self.column}, anchor {wide:g}x{high:g}"


@dataclass(frozen=True, slots=True)
class CellPrediction:
    """The prediction of one anchor of one cell.

    Attributes:
        source: the cell and anchor.
        raw: tx, ty, tw, th and objectness, before the sigmoid.
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


def explain_grid(grid: GridOutput, suppression: Suppression, point: tuple[float, float]) -> CellExplanation:
    """The predictions at ``point`` (x, y in pixels of the image), and the outcomes of the boxes over it."""
    inside = grid.letterbox.forward(np.array([[*point, *point]], float))[0, :2]  # (2,)
    return CellExplanation(
        point,
        (float(inside[0]), float(inside[1])),
        _predictions(grid, inside),
        suppression.outcomes(covers(suppression.xyxy, point), lambda slot: _cell_anchor(slot, grid)),
        suppression.rule.threshold,
        suppression.rule.kind,
        grid.letterbox,
    )


def _predictions(grid: GridOutput, inside: Floats) -> tuple[CellPrediction, ...]:
    """The predictions of every anchor of the cells that hold the point, (2,) in pixels of the network."""
    found = []
    for number, (raw, head) in enumerate(zip(grid.raw_heads, grid.heads, strict=True)):
        column, row = (int(value // head.stride) for value in inside)
        for anchor in range(len(head.anchors)):
            source = CellAnchor(number, row, column, anchor, head.stride, head.anchors[anchor])
            found.append(_prediction(raw, head, source, grid.letterbox))
    return tuple(sorted(found, key=lambda prediction: -prediction.confidence))


def _prediction(raw: Floats, head: Head, source: CellAnchor, letterbox: Letterbox) -> CellPrediction:
    """The most likely class of one anchor of one cell, decoded by the codec."""
    values = raw.reshape(*raw.shape[:2], len(head.anchors), -1)[source.row, source.column, source.anchor]
    every = decode([raw], [head], ANYTHING)
    slot = (source.row * raw.shape[1] + source.column) * len(head.anchors) + source.anchor
    own = every[np.flatnonzero(every.slot == slot)]  # one per class
    best = int(own.confidence.argmax())
    class_id = int(own.class_id[best])
    xyxy = letterbox.undo(own.xyxy[best : best + 1])[0]  # (4,)
    return CellPrediction(
        source,
        tuple(values[:5].tolist()),
        class_id,
        float(values[5 + class_id]),
        float(own.confidence[best]),
        tuple(xyxy.tolist()),
    )


def _cell_anchor(slot: int, grid: GridOutput) -> CellAnchor:
    """The cell and anchor of a slot."""
    for number, (raw, head) in enumerate(zip(grid.raw_heads, grid.heads, strict=True)):
        count = raw.shape[0] * raw.shape[1] * len(head.anchors)
        if slot < count:
            cell, anchor = divmod(slot, len(head.anchors))
            row, column = divmod(cell, raw.shape[1])
            return CellAnchor(number, row, column, anchor, head.stride, head.anchors[anchor])
        slot -= count
    raise AssertionError("a slot beyond the last head")
