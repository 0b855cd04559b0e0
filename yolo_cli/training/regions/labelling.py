"""Label regions of an image by the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_area, box_iou, intersection, xyxy_to_cxcywh
from yolo_cli.detections import GroundTruth

__all__ = ["Labelled", "around_gt", "away_from_gt", "in_ignored", "label", "trainable"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

# IoU with a ground truth from which a window is positive, and below which it is background.
POSITIVE_IOU, NEGATIVE_IOU = 0.6, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Regions, each with the ground truth that it overlaps most.

    Attributes:
        xyxy: (N, 4), pixels of the image.
        overlap: (N,), IoU with that ground truth; 0 without one.
        ground_truth: (N,), its index; -1 without one.
        class_id: (N,), its class; -1 without one.
    """

    xyxy: Floats
    overlap: Floats
    ground_truth: Integers
    class_id: Integers

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, index: NDArray[Any]) -> Labelled:
        """The regions at ``index``: integer positions (K,) or a mask (N,)."""
        return Labelled(self.xyxy[index], self.overlap[index], self.ground_truth[index], self.class_id[index])


def trainable(ground_truth: GroundTruth) -> GroundTruth:
    """The ground-truth boxes to train on: those with an area that are neither difficult nor a crowd."""
    sound = np.asarray((ground_truth.xyxy[:, 2:] > ground_truth.xyxy[:, :2]).all(axis=1))  # (N,)
    return ground_truth[sound & ~_ignored(ground_truth)]


def in_ignored(xyxy: Floats, ground_truth: GroundTruth) -> NDArray[np.bool_]:
    """Whether (N,) more than half of a region (N, 4) is in a crowd or a difficult object.

    Such a region teaches nothing, as in YOLO's loss: what it shows may be an object.

    >>> crowd = GroundTruth(np.float64([[0, 0, 10, 10]]), np.array([0]), np.array([True]))
    >>> in_ignored(np.float64([[0, 0, 4, 4], [0, 0, 30, 10]]), crowd).tolist()
    [True, False]
    """
    ignored = ground_truth.xyxy[_ignored(ground_truth)].astype(np.float64)  # (C, 4)
    inside = intersection(xyxy.astype(np.float64), ignored).max(axis=1, initial=0)  # (N,)
    found: NDArray[np.bool_] = inside > box_area(xyxy) / 2
    return found


def _ignored(ground_truth: GroundTruth) -> NDArray[np.bool_]:
    """Which ground-truth boxes (N,) are a crowd or difficult."""
    return np.asarray(ground_truth.crowd) | np.asarray(ground_truth.difficult)


def label(xyxy: Floats, ground_truth: GroundTruth) -> Labelled:
    """Label each of the regions (N, 4) with the ground truth that it overlaps most.

    >>> boxes = np.float64([[0, 0, 10, 10], [40, 40, 50, 50]])
    >>> found = label(boxes, GroundTruth(np.float64([[0, 0, 10, 8]]), np.array([5])))
    >>> found.overlap.tolist(), found.class_id.tolist()
    ([0.8, 0.0], [5, -1])
    """
    if not len(ground_truth):
        nothing = np.full(len(xyxy), -1)
        return Labelled(xyxy, np.zeros(len(xyxy)), nothing, nothing)
    overlaps = box_iou(xyxy.astype(np.float64), ground_truth.xyxy.astype(np.float64))  # (N, T)
    best, overlap = overlaps.argmax(axis=1), overlaps.max(axis=1)  # (N,), (N,)
    return Labelled(
        xyxy, overlap, np.where(overlap > 0, best, -1), np.where(overlap > 0, ground_truth.class_id[best], -1)
    )


def around_gt(ground_truth: GroundTruth, count: int, random: np.random.Generator) -> Labelled:
    """About ``count`` positive regions: ground-truth boxes, randomly moved and stretched."""
    if not len(ground_truth):
        return label(np.zeros((0, 4)), ground_truth)
    chosen = ground_truth.xyxy[random.integers(0, len(ground_truth), 3 * count)]  # (3 · count, 4)
    here = xyxy_to_cxcywh(chosen.astype(np.float64))  # (3 · count, 4)
    centre = here[:, :2] + random.uniform(-0.2, 0.2, (len(here), 2)) * here[:, 2:]  # (3 · count, 2)
    half = here[:, 2:] * np.exp(random.uniform(-0.25, 0.25, (len(here), 2))) / 2  # (3 · count, 2)
    found = label(np.concatenate([centre - half, centre + half], axis=1), ground_truth)
    return found[np.flatnonzero(found.overlap >= POSITIVE_IOU)[:count]]


def away_from_gt(
    size: tuple[int, int], ground_truth: GroundTruth, count: int, random: np.random.Generator
) -> Labelled:
    """About ``count`` background regions of an image of ``size`` (height, width).

    None of them is on a difficult object or in a crowd.
    """
    longer = max(size)
    area = longer * np.exp(random.uniform(np.log(0.2), 0.0, 3 * count))  # (3 · count,), square roots of areas
    aspect = np.exp(random.uniform(np.log(0.4), np.log(2.5), 3 * count))  # (3 · count,)
    half = np.stack([area * np.sqrt(aspect), area / np.sqrt(aspect)], axis=1) / 2  # (3 · count, 2)
    centre = random.uniform(0, 1, (3 * count, 2)) * size[::-1]  # (3 · count, 2)
    found = label(np.concatenate([centre - half, centre + half], axis=1), ground_truth)
    background = (found.overlap < NEGATIVE_IOU) & ~in_ignored(found.xyxy, ground_truth)  # (3 · count,)
    return found[np.flatnonzero(background)[:count]]
