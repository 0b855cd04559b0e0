"""Why a detector said what it said at one point of a picture.

For YOLO: what each anchor of the cells at that point answered, which boxes lie over the point, where each
came from, and what suppression did to it. It runs the detector's own steps, so that it tells what detection
does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Candidates, Head, decode
from yolo_cli.detectors import YoloDetector
from yolo_cli.errors import UsageError
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox
from yolo_cli.suppression import overlap

__all__ = ["Answer", "Explanation", "Fate", "Place", "explain"]

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
        xyxy: the box in pixels of the picture; it may reach out of it.
    """

    place: Place
    raw: tuple[float, ...]
    class_id: int
    raw_class: float
    confidence: float
    xyxy: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """A box over the point, above the confidence, and what suppression did to it.

    Attributes:
        place: the cell and anchor that it came from.
        class_id: its class.
        confidence: as the network gives it.
        xyxy: in pixels of the picture, inside it.
        kept: whether detection returns it.
        suppressed_by: which of the explanation's fates suppressed it, or None.
        overlap: with that one, as the rule of suppression reckons it; None where nothing suppressed it.
    """

    place: Place
    class_id: int
    confidence: float
    xyxy: tuple[float, ...]
    kept: bool
    suppressed_by: int | None = None
    overlap: float | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is to be said of one point.

    Attributes:
        point: x and y in pixels of the picture.
        network_point: the same in pixels of the network's input, and that input's width and height.
        answers: of every anchor of the cells that hold the point, the most confident first.
        fates: boxes over the point and those that suppressed them, the most confident first.
        threshold: the overlap above which a box goes.
        rule: the rule of suppression.
        letterbox: how the picture lies in the network's input.
    """

    point: tuple[float, float]
    network_point: tuple[float, float]
    answers: tuple[Answer, ...]
    fates: tuple[Fate, ...]
    threshold: float
    rule: str
    letterbox: Letterbox


def explain(detector: YoloDetector, image: Image, point: tuple[float, float]) -> Explanation:
    """Say why ``detector`` found what it found at ``point`` (x, y in pixels) of ``image``.

    Raises:
        UsageError: if the point lies outside the picture, or the suppression is soft, which removes nothing.
    """
    x, y = point
    if not (0 <= x < image.width and 0 <= y < image.height):
        size = f"{image.width}x{image.height}"
        raise UsageError(f"--at {x:g},{y:g}: lies outside {image.name}, which has {size} pixels")
    rule = detector.config.suppression or detector.card.suppression
    if rule == "soft":
        raise UsageError("--suppression soft: removes no box because of another one; choose another rule")
    letterbox = detector.letterbox(image)
    batch = letterbox.apply(image.rgb)[None]  # (1, H, W, 3)
    raw_heads = [raw[0] for raw in detector.engine.run(batch)]  # each (rows, columns, channels)
    inside = letterbox.forward(np.array([[x, y, x, y]], float))[0, :2]  # (2,)
    return Explanation(
        point,
        (float(inside[0]), float(inside[1])),
        _answers(detector, raw_heads, letterbox, inside),
        _fates(detector, raw_heads, letterbox, image, point),
        detector.config.nms_iou,
        rule,
        letterbox,
    )


def _answers(
    detector: YoloDetector, raw_heads: list[Floats], letterbox: Letterbox, inside: Floats
) -> tuple[Answer, ...]:
    """What every anchor of the cells that hold the point says."""
    found = []
    for number, (raw, head) in enumerate(zip(raw_heads, detector.card.heads, strict=True)):
        column, row = (inside // head.stride).astype(int).tolist()
        for anchor in range(len(head.anchors)):
            place = Place(number, row, column, anchor, head.stride, head.anchors[anchor])
            found.append(_answer(raw, head, place, letterbox))
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


def _fates(
    detector: YoloDetector,
    raw_heads: list[Floats],
    letterbox: Letterbox,
    image: Image,
    point: tuple[float, float],
) -> tuple[Fate, ...]:
    """The boxes over the point and those that suppressed them."""
    candidates = detector.candidates(raw_heads)
    order = np.argsort(-candidates.confidence, kind="stable")  # (N,)
    candidates = candidates[order]
    kept, _ = detector.survivors(candidates, letterbox, image)  # (K,)
    winner, share = _winners(detector, candidates, kept, letterbox, image)  # (N,), (N,)
    edges = np.array([image.width, image.height] * 2)
    xyxy = np.clip(letterbox.undo(candidates.xyxy), 0, edges)  # (N, 4)
    x, y = point
    over = (xyxy[:, 0] <= x) & (x < xyxy[:, 2]) & (xyxy[:, 1] <= y) & (y < xyxy[:, 3])  # (N,)
    shown = np.flatnonzero(over)  # (S,)
    shown = np.unique(np.concatenate([shown, winner[shown][winner[shown] >= 0]]))  # with who suppressed them
    some = (xyxy[kept, 2:] > xyxy[kept, :2]).all(axis=1)  # (K,), a box beyond the border leaves nothing
    found = set(kept[some][: detector.config.max_detections].tolist())
    number = {int(n): i for i, n in enumerate(shown)}
    return tuple(
        Fate(
            _place(int(candidates.slot[n]), detector.card.heads, raw_heads),
            int(candidates.class_id[n]),
            float(candidates.confidence[n]),
            tuple(xyxy[n].tolist()),
            int(n) in found,
            number[int(winner[n])] if winner[n] >= 0 else None,
            float(share[n]) if winner[n] >= 0 else None,
        )
        for n in shown
    )


def _winners(
    detector: YoloDetector, candidates: Candidates, kept: NDArray[np.intp], letterbox: Letterbox, image: Image
) -> tuple[NDArray[np.int64], Floats]:
    """For each candidate (N,) which survivor suppressed it, -1 for survivors, and their overlap (N,).

    The most confident survivor that overlaps it too much: suppression came to that one first. It is more
    confident than the candidate itself, as a candidate that nothing before it suppresses is a survivor.
    """
    size = np.array([image.width, image.height] * 2, np.float32)
    boxes = (letterbox.undo(candidates.xyxy) / size).astype(np.float64)  # (N, 4), as suppression sees them
    kind = detector.config.suppression or detector.card.suppression
    winner, share = np.full(len(boxes), -1), np.zeros(len(boxes))
    for place in sorted(kept.tolist(), reverse=True):  # a more confident one overwrites a less confident one
        common = overlap(boxes[place], boxes, kind, detector.card.beta)  # (N,)
        hit = common > detector.config.nms_iou  # (N,)
        if not detector.config.class_agnostic:
            hit &= candidates.class_id == candidates.class_id[place]
        winner[hit], share[hit] = place, common[hit]
    winner[kept] = -1
    return winner, share


def _place(slot: int, heads: tuple[Head, ...], raw_heads: list[Floats]) -> Place:
    """Where a slot lies, counted through all heads."""
    for number, (raw, head) in enumerate(zip(raw_heads, heads, strict=True)):
        count = raw.shape[0] * raw.shape[1] * len(head.anchors)
        if slot < count:
            cell, anchor = divmod(slot, len(head.anchors))
            row, column = divmod(cell, raw.shape[1])
            return Place(number, row, column, anchor, head.stride, head.anchors[anchor])
        slot -= count
    raise AssertionError("a slot beyond the last head")
