"""Ground truth and tracks of one video, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import box_iou
from yolo_cli.tracks import Tracks

__all__ = ["MATCH_IOU", "PairedFrame", "Sequence", "reaches"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

MATCH_IOU = 0.5  # of MOTA and IDF1


@dataclass(frozen=True, slots=True, eq=False)
class PairedFrame:
    """One frame.

    Attributes:
        gt: (G,), the objects of the ground truth, numbered from 0.
        found: (F,), the tracks, numbered from 0.
        iou: float64, (G, F).
    """

    gt: Integers
    found: Integers
    iou: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One video: two sets of boxes, whose ids are numbered from 0.

    Attributes:
        gt_boxes: (G,), how many boxes each object has.
        found_boxes: (F,), how many boxes each track has.
    """

    gt: Tracks
    found: Tracks
    gt_boxes: Integers
    found_boxes: Integers

    @classmethod
    def of(cls, gt: Tracks, found: Tracks) -> Sequence:
        """Number the ids; boxes are compared in float64, whatever they came in."""
        gt, gt_boxes = _numbered(gt)
        found, found_boxes = _numbered(found)
        return cls(gt, found, gt_boxes, found_boxes)

    def frames(self) -> Iterator[PairedFrame]:
        """Every frame that has a box, in order; the IoUs are made at each call so that memory stays flat."""
        numbers = np.union1d(self.gt.frame, self.found.frame)  # (T,)
        gt_rows, found_rows = _rows(self.gt, numbers), _rows(self.found, numbers)
        for a, b in zip(gt_rows, found_rows, strict=True):
            iou = box_iou(self.gt.xyxy[a], self.found.xyxy[b])  # (G, F)
            yield PairedFrame(self.gt.track_id[a], self.found.track_id[b], iou)


def reaches(iou: Floats, threshold: float | Floats) -> NDArray[np.bool_]:
    """Whether an IoU is a match: equal will do, and so will what rounding takes from equal."""
    enough: NDArray[np.bool_] = iou >= threshold - np.finfo(float).eps
    return enough


def _numbered(tracks: Tracks) -> tuple[Tracks, Integers]:
    """The same boxes with ids from 0, in the order of frames, and how many boxes each id has."""
    order = np.argsort(tracks.frame, kind="stable")  # (N,)
    _, ids, counts = np.unique(tracks.track_id, return_inverse=True, return_counts=True)
    xyxy = tracks.xyxy.astype(float)
    return Tracks(tracks.frame, ids, xyxy, tracks.confidence, tracks.class_id)[order], counts


def _rows(tracks: Tracks, numbers: Integers) -> Iterator[slice]:
    """The places of the boxes of each frame of ``numbers`` (T,), in tracks that are in order."""
    starts = np.searchsorted(tracks.frame, numbers).tolist()
    stops = np.searchsorted(tracks.frame, numbers, side="right").tolist()
    return map(slice, starts, stops)
