"""For YOLO: what each anchor of the cells at a point answered, and what became of the boxes over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Head, decode
from yolo_cli.detectors.trace import GridOutput
from yolo_cli.explanation.fates import Contest, Fate, covers
from yolo_cli.letterbox import Letterbox

__all__ = ["Answer", "Explanation", "Place", "explain_grid"]

Floats = NDArray[np.floating[Any]]
ANYTHING = -1.0  # a confidence that every pair is above


@dataclass(frozen=True, slots=True)
class Place:
    """One anchor of one cell of one head.

    Attributes:
        head: which head, from 0.
        row, column: the cell in the head's grid.
        anchor: which of the head's anchors, from 0.
        stride: side of a cell in pixels of the network's input.
        anchor_size: width and height of the anchor in pixels of the network's input.
    """

    head: int
    row: int
    column: int
    anchor: int
    stride: int
    anchor_size: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the network says at one place.

    Attributes:
        place: where.
        raw: tx, ty, tw, th and objectness as the network gives them.
        class_id: the class that it thinks likeliest.
        raw_class: the value of that class as the network gives it.
        confidence: of that class, before any calibration.
        xyxy: the box in pixels of the image; it may reach out of it.
    """

    place: Place
    raw: tuple[float, ...]
    class_id: int
    raw_class: float
    confidence: float
    xyxy: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is to be said of one point.

    Attributes:
        point: x and y in pixels of the image.
        network_point: the same in pixels of the network's input, and that input's width and height.
        answers: of every anchor of the cells that hold the point, the most confident first.
        fates: boxes over the point and those that suppressed them, the most confident first.
        threshold: the overlap above which a box goes.
        rule: the rule of suppression.
        letterbox: how the image lies in the network's input.
    """

    point: tuple[float, float]
    network_point: tuple[float, float]
    answers: tuple[Answer, ...]
    fates: tuple[Fate[Place], ...]
    threshold: float
    rule: str
    letterbox: Letterbox


def explain_grid(grid: GridOutput, contest: Contest, point: tuple[float, float]) -> Explanation:
    """The predictions at ``point`` (x, y in pixels of the image), and what became of the boxes over it."""
    inside = grid.letterbox.forward(np.array([[*point, *point]], float))[0, :2]  # (2,)
    return Explanation(
        point,
        (float(inside[0]), float(inside[1])),
        _answers(grid, inside),
        contest.fates(covers(contest.xyxy, point), lambda slot: _place(slot, grid)),
        contest.rule.threshold,
        contest.rule.kind,
        grid.letterbox,
    )


def _answers(grid: GridOutput, inside: Floats) -> tuple[Answer, ...]:
    """The predictions of every anchor of the cells that hold the point, (2,) in pixels of the network."""
    found = []
    for number, (raw, head) in enumerate(zip(grid.raw_heads, grid.heads, strict=True)):
        column, row = (int(value // head.stride) for value in inside)
        for anchor in range(len(head.anchors)):
            place = Place(number, row, column, anchor, head.stride, head.anchors[anchor])
            found.append(_answer(raw, head, place, grid.letterbox))
    return tuple(sorted(found, key=lambda answer: -answer.confidence))


def _answer(raw: Floats, head: Head, place: Place, letterbox: Letterbox) -> Answer:
    """The likeliest class of one anchor of one cell, by the codec's own law."""
    values = raw.reshape(*raw.shape[:2], len(head.anchors), -1)[place.row, place.column, place.anchor]
    every = decode([raw], [head], ANYTHING)
    slot = (place.row * raw.shape[1] + place.column) * len(head.anchors) + place.anchor
    own = every[np.flatnonzero(every.slot == slot)]  # one for each class
    best = int(own.confidence.argmax())
    class_id = int(own.class_id[best])
    xyxy = letterbox.undo(own.xyxy[best : best + 1])[0]  # (4,)
    return Answer(
        place,
        tuple(values[:5].tolist()),
        class_id,
        float(values[5 + class_id]),
        float(own.confidence[best]),
        tuple(xyxy.tolist()),
    )


def _place(slot: int, grid: GridOutput) -> Place:
    """The cell and anchor of a slot, counted through all heads."""
    for number, (raw, head) in enumerate(zip(grid.raw_heads, grid.heads, strict=True)):
        count = raw.shape[0] * raw.shape[1] * len(head.anchors)
        if slot < count:
            cell, anchor = divmod(slot, len(head.anchors))
            row, column = divmod(cell, raw.shape[1])
            return Place(number, row, column, anchor, head.stride, head.anchors[anchor])
        slot -= count
    raise AssertionError("a slot beyond the last head")
