"""Plant faults in labels, with a seed, and measure how many of them a ranking finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from yolo_cli.boxes import box_iou
from yolo_cli.datasets import Sample
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.suspects.suspect import KINDS, Suspect

__all__ = ["Examined", "Found", "Planted", "of_suspects", "plant", "precision_and_recall"]

Examined = tuple[Sample, GroundTruth, Detections]
Found = tuple[str, int, tuple[float, ...], int]  # image; row, or -1 and the box and class of an object


@dataclass
class Planted:
    """Images with faulty labels, and where the ``count`` faults of each kind are."""

    images: list[Examined]
    count: int
    faults: dict[str, list[Found]] = field(default_factory=lambda: {kind: [] for kind in KINDS})


def plant(images: Sequence[Examined], seed: int, fraction: float = 0.05) -> Planted:
    """Drop, swap and shift this fraction of the labels each, and invent as many.

    A swapped label gets a random other class that occurs; a shifted box moves by half its width or height, to
    a side where it stays in the image if there is one; an invented box has size and class of a random label
    and overlaps none by an IoU above 0.2. Ignored labels (difficult, crowd) are left alone.
    """
    rng = np.random.default_rng(seed)
    places = [(at, row) for at, (_, labels, _) in enumerate(images) for row in _counting(labels)]
    count = max(1, round(fraction * len(places)))
    chosen = [places[at] for at in rng.permutation(len(places))[: 3 * count]]
    actions = {place: number // count for number, place in enumerate(chosen)}
    classes = np.unique(np.concatenate([labels.class_id for _, labels, _ in images]))
    planted = Planted([], count)
    for at, image in enumerate(images):
        faulty = {row: actions[at, row] for row in range(len(image[1])) if (at, row) in actions}
        planted.images.append(_faulty(image, faulty, classes, planted, rng))
    while len(planted.faults["invented"]) < count:
        _invent(images, places, planted, rng)
    return planted


def _counting(labels: GroundTruth) -> list[int]:
    return np.flatnonzero(~(labels.difficult | labels.crowd)).tolist()


def _faulty(image: Examined, faulty: dict[int, int], classes: np.ndarray, planted: Planted, rng) -> Examined:
    """The image with the faults of its labels: 0 dropped, 1 swapped, 2 shifted."""
    sample, labels, found = image
    xyxy, class_id = labels.xyxy.copy(), labels.class_id.copy()
    for row, action in faulty.items():
        name, kind = sample.name, ("overlooked", "swapped", "misplaced")[action]
        if action == 0:
            gone = (name, -1, tuple(xyxy[row].tolist()), int(class_id[row]))
            planted.faults[kind].append(gone)
            continue
        planted.faults[kind].append((name, row, (), 0))
        if action == 1:
            class_id[row] = rng.choice(classes[classes != class_id[row]])
        else:
            xyxy[row] = _shifted(xyxy[row], sample.size, rng)
    changed = replace(labels, xyxy=xyxy, class_id=class_id)
    kept = np.array([faulty.get(row) != 0 for row in range(len(labels))], bool)
    rows = tuple(np.flatnonzero(kept).tolist())
    return replace(sample, labels=changed[kept], rows=rows, fractions=False), changed[kept], found


def _shifted(box: np.ndarray, size: tuple[int, int], rng) -> np.ndarray:
    """The box moved by half its width or height, where most of it stays in the image."""
    (height, width), (w, h) = size, box[2:] - box[:2]
    moves = rng.permutation(np.array([(w / 2, 0), (-w / 2, 0), (0, h / 2), (0, -h / 2)]))
    limits = np.array([width, height, width, height])
    inside = [np.clip(box + np.tile(move, 2), 0, limits) for move in moves]
    return max(inside, key=lambda moved: round(float(np.prod(moved[2:] - moved[:2])), 6))


def _invent(images: Sequence[Examined], places: list[tuple[int, int]], planted: Planted, rng) -> None:
    """Try to add one label where there is no object."""
    at = int(rng.integers(len(images)))
    sample, labels, found = planted.images[at]
    source, row = places[int(rng.integers(len(places)))]
    _, pattern, _ = images[source]
    scale = np.array(sample.size[::-1]) / np.array(images[source][0].size[::-1])
    wh = (pattern.xyxy[row, 2:] - pattern.xyxy[row, :2]) * scale
    low = rng.uniform(0, np.maximum(np.array(sample.size[::-1]) - wh, 1e-6))
    box = np.concatenate([low, low + wh])[None]
    old = np.concatenate([images[at][1].xyxy, labels.xyxy])
    if box_iou(old, box).max(initial=0) > 0.2:
        return
    number = max((*sample.rows, len(images[at][1]) - 1)) + 1
    more = GroundTruth(
        np.concatenate([labels.xyxy, box]),
        np.append(labels.class_id, pattern.class_id[row]),
        np.append(labels.crowd, False),
        np.append(labels.difficult, False),
    )
    planted.faults["invented"].append((sample.name, number, (), 0))
    planted.images[at] = (replace(sample, labels=more, rows=(*sample.rows, number)), more, found)


def of_suspects(suspects: Sequence[Suspect], kind: str) -> list[Found]:
    """The suspects of one kind, in their order."""
    chosen = [it for it in suspects if it.kind == kind]
    return [
        (it.image, it.label.row, (), 0) if it.label else (it.image, -1, it.seen.xyxy, it.seen.class_id)
        for it in chosen
    ]


def precision_and_recall(ranked: Sequence[Found], faults: Sequence[Found], count: int) -> tuple[float, float]:
    """Precision of the first ``count``, and recall of the first 2 ``count``, of one kind.

    A dropped label is found by a box of its class with an IoU of at least 0.5, once.
    """
    left, hits = list(faults), []
    for one in ranked[: 2 * count]:
        same = next((fault for fault in left if _matches(one, fault)), None)
        hits.append(same is not None)
        if same is not None:
            left.remove(same)
    return sum(hits[:count]) / count, sum(hits) / count


def _matches(one: Found, fault: Found) -> bool:
    (image, row, box, class_id), (at, place, edges, wanted) = one, fault
    if image != at or row != place:
        return False
    if row >= 0:
        return True
    return class_id == wanted and box_iou(np.array([box]), np.array([edges]))[0, 0] >= 0.5
