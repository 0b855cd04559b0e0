"""For YOLO: what each anchor of the cells at a point answered, and what became of the boxes over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import Candidates, Head, decode
from yolo_cli.detectors import YoloDetector
from yolo_cli.explanation.fates import Contest, Fate, Rule, check_point, covers, tell_fates
from yolo_cli.images import Image
from yolo_cli.letterbox import Letterbox

__all__ = ["Answer", "Explanation", "Place", "explain_yolo"]

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


def explain_yolo(detector: YoloDetector, image: Image, point: tuple[float, float]) -> Explanation:
    """Say why ``detector`` found what it found at ``point`` (x, y in pixels) of ``image``.

    Raises:
        UsageError: if the point lies outside the image, or the suppression is soft, which removes nothing.
    """
    check_point(image, point)
    rule = Rule.of(detector.config, detector.card)
    letterbox = detector.letterbox(image)
    batch = letterbox.apply(image.rgb)[None]  # (1, H, W, 3)
    raw_heads = [raw[0] for raw in detector.engine.run(batch)]  # each (rows, columns, channels)
    inside = letterbox.forward(np.array([[*point, *point]], float))[0, :2]  # (2,)
    return Explanation(
        point,
        (float(inside[0]), float(inside[1])),
        _answers(detector, raw_heads, letterbox, inside),
        _fates(detector, raw_heads, image, point, rule),
        rule.threshold,
        rule.kind,
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
    detector: YoloDetector, raw_heads: list[Floats], image: Image, point: tuple[float, float], rule: Rule
) -> tuple[Fate[Place], ...]:
    """The boxes over the point and those that suppressed them."""
    candidates = detector.candidates(raw_heads)
    candidates = candidates[np.argsort(-candidates.confidence, kind="stable")]
    contest = _contest(detector, candidates, image)

    def place(n: int) -> Place:
        return _place(int(candidates.slot[n]), detector.card.heads, raw_heads)

    return tell_fates(contest, rule, covers(contest.xyxy, point), place)


def _contest(detector: YoloDetector, candidates: Candidates, image: Image) -> Contest:
    """What suppression has to choose from, and what it chooses."""
    letterbox = detector.letterbox(image)
    kept, _ = detector.survivors(candidates, letterbox, image)  # (K,)
    xyxy = letterbox.undo(candidates.xyxy)  # (N, 4)
    size = np.array([image.width, image.height] * 2, np.float32)
    inside = np.clip(xyxy, 0, size)  # (N, 4)
    some = (inside[kept, 2:] > inside[kept, :2]).all(axis=1)  # (K,), a box beyond the border leaves nothing
    found = frozenset(kept[some][: detector.config.max_det].tolist())
    return Contest(xyxy / size, inside, candidates.confidence, candidates.class_id, kept, found)


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
