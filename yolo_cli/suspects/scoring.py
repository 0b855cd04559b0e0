"""How probable it is, by what a model sees, that a label is wrong.

The kinds, and the idea to compare each box with its most similar detections, are those of ObjectLab
(Tkachenko, Thyagarajan and Mueller, "ObjectLab: Automated Diagnosis of Mislabeled Images in Object Detection
Data", 2023). The rule differs in three ways. Confidences are first replaced by the frequency with which
detections of that class and confidence agree with a label, so no threshold of confidence depends on the
model. A detection that a label of its class explains says nothing about another label. And what speaks
against a label is weighed against what speaks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_area, box_iou, intersection
from yolo_cli.detections import Detections, GroundTruth

__all__ = ["ImageScores", "agreement", "invented", "score_image"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

MATCHED = 0.5
"""From this IoU on, a detection and a label of its class are the same object, as in evaluation."""

# IoU at which a box begins to count, and at which it counts fully.
_AGREES = (0.3, 0.6)  # a detection and a label are of the same object
_TOUCHES = (0.1, 0.3)  # a detection and a label may be of the same object
_COVERS = (0.1, 0.4)  # a label of its class accounts for a detection
_SUPPORTS = (0.2, 0.6)  # a detection of any class shows that something is there

_PRIOR = 0.02  # the fraction of labels that are invented, before anything is seen
_GRID = 64  # points of a curve of agreement
_WIDTH = 0.5  # of the smoothing, in units of log-odds
_STRENGTH = 8.0  # detections of a class that weigh as much as those of all classes


@dataclass(frozen=True, slots=True, eq=False)
class ImageScores:
    """Scores in [0, 1] of the L labels and M detections of one image; 1 is certainly wrong.

    Attributes:
        swapped, misplaced: (L,), of each label.
        swapped_by, misplaced_by: (L,), the detection that says so; -1 without one.
        support: (L,), of each label: how surely there is an object; low if the label is invented.
        overlooked: (M,), of each detection: there is an object, but no label.
    """

    swapped: Floats
    misplaced: Floats
    swapped_by: Integers
    misplaced_by: Integers
    support: Floats
    overlooked: Floats


def agreement(images: Sequence[tuple[GroundTruth, Detections]]) -> list[Floats]:
    """How often detections of that class and confidence agree with a label: of each image (M,), in [0, 1].

    A kernel estimate over the log-odds of the confidence, monotone, and drawn towards that of all classes
    where a class has few detections.
    """
    right = [_matched(labels, found) for labels, found in images]
    counts = [len(found) for _, found in images]
    odds = _log_odds(np.concatenate([np.zeros(0), *(found.confidence for _, found in images)]))  # (D,)
    class_id = np.concatenate([np.zeros(0, int), *(found.class_id for _, found in images)])  # (D,)
    correct = np.concatenate([np.zeros(0), *right])  # (D,)
    if not len(odds):
        return [np.zeros(0) for _ in counts]
    grid = np.linspace(odds.min(), odds.max(), _GRID)  # (G,)
    at = np.rint((odds - grid[0]) / max(grid[1] - grid[0], 1e-9)).astype(int)  # (D,), the nearest points
    pooled = _curve(grid, at, correct, np.full(_GRID, 0.5), 1.0)  # (G,)
    result = np.zeros(len(odds))
    for number in np.unique(class_id):
        own = class_id == number  # (D,)
        curve = _curve(grid, at[own], correct[own], pooled, _STRENGTH)  # (G,)
        result[own] = np.interp(odds[own], grid, curve)
    return np.split(result, np.cumsum(counts)[:-1])


def _matched(labels: GroundTruth, found: Detections) -> Floats:
    """1 for each detection (M,) that is the most confident one on a label of its class, else 0."""
    iou = box_iou(labels.xyxy, found.xyxy) * (labels.class_id[:, None] == found.class_id)  # (L, M)
    matched, taken = np.zeros(len(found)), set()
    for at in np.argsort(-found.confidence, kind="stable"):
        label = int(iou[:, at].argmax()) if len(labels) else -1
        if label >= 0 and iou[label, at] >= MATCHED and label not in taken:
            taken.add(label)
            matched[at] = 1
    return matched


def _curve(grid: Floats, at: Integers, correct: Floats, prior: Floats, strength: float) -> Floats:
    """The fraction of correct detections at each point of the grid (G,), never falling.

    Args:
        grid: log-odds, (G,).
        at: the point of each detection, (D,).
        correct: 1 or 0 for each, (D,).
        prior: the curve without detections, (G,).
        strength: number of detections that it weighs as much as.
    """
    kernel = np.exp(-0.5 * ((grid[:, None] - grid) / _WIDTH) ** 2)  # (G, G)
    number, right = np.bincount(at, minlength=_GRID), np.bincount(at, correct, _GRID)  # (G,), (G,)
    fraction = (kernel @ right + strength * prior) / (kernel @ number + strength)  # (G,)
    rising: Floats = np.maximum.accumulate(fraction)
    return rising


def _log_odds(confidence: Floats) -> Floats:
    """Log-odds of confidences, both of any shape."""
    p = np.clip(np.asarray(confidence, float), 1e-4, 1 - 1e-4)
    odds: Floats = np.log(p / (1 - p))
    return odds


def _ramp(iou: Floats, ends: tuple[float, float]) -> Floats:
    """0 below the first of two IoUs, 1 from the second on, linear between them."""
    low, high = ends
    ramp: Floats = np.clip((iou - low) / (high - low), 0, 1)
    return ramp


def score_image(labels: GroundTruth, found: Detections, agrees: Floats) -> ImageScores:
    """Scores of one image.

    Args:
        labels: its L labels.
        found: its M detections, with the class ids of the labels.
        agrees: (M,), from `agreement`.
    """
    iou = np.asarray(box_iou(labels.xyxy, found.xyxy), float)  # (L, M)
    same = labels.class_id[:, None] == found.class_id  # (L, M)
    own = iou * same  # (L, M)
    best = own.max(axis=0, initial=0)  # (M,)
    free = (own >= best) | (best < MATCHED)  # (L, M): no other label explains the detection
    agreed = agrees * _ramp(iou, _AGREES)  # (L, M)
    doubt = 1 - (agreed * same).max(axis=1, initial=0)  # (L,)
    nearest = same & (own >= best)  # (L, M)
    apart = ((1 - iou) / (1 - _TOUCHES[1])) ** 2  # 1 where it counts fully, 0 for the same box
    swapped, swapped_by = _strongest(agreed * (~same & free))
    misplaced, misplaced_by = _strongest(agrees * nearest * _ramp(iou, _TOUCHES) * apart)
    support = (agrees * _ramp(iou, _SUPPORTS) * free).max(axis=1, initial=0)  # (L,)
    covered = np.maximum(_ramp(own, _COVERS), _ramp(iou, _AGREES)).max(axis=0, initial=0)  # (M,)
    overlooked = agrees * (1 - np.maximum(covered, _in_crowd(labels, found)))  # (M,)
    return ImageScores(swapped * doubt, misplaced * doubt, swapped_by, misplaced_by, support, overlooked)


def invented(support: Floats) -> Floats:
    """The probability that each of L labels is invented, (L,), by its support (L,) among all labels.

    By Bayes' theorem for a label with at most this support: all invented ones have so little, and of the
    right ones as many as the model overlooks, which is the fraction of labels with at most this support. What
    support there is counts against it.
    """
    at_most = np.searchsorted(np.sort(support), support, side="right") / max(1, len(support))  # (L,)
    return np.asarray((1 - support) * _PRIOR / (_PRIOR + (1 - _PRIOR) * at_most))


def _strongest(scores: Floats) -> tuple[Floats, Integers]:
    """The largest score of each row (L,) of (L, M), and its column, or -1 if none is above 0."""
    if not scores.size:
        return np.zeros(len(scores)), np.full(len(scores), -1)
    at = scores.argmax(axis=1)  # (L,)
    largest = scores[np.arange(len(scores)), at]  # (L,)
    return largest, np.where(largest > 0, at, -1)


def _in_crowd(labels: GroundTruth, found: Detections) -> Floats:
    """The largest fraction of each detection (M,) that is inside the box of a crowd."""
    inside = intersection(labels.xyxy[labels.crowd], np.asarray(found.xyxy, float))  # (C, M)
    return np.asarray(inside.max(axis=0, initial=0) / np.maximum(box_area(found.xyxy), 1e-9), float)
