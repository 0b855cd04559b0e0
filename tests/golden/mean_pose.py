"""A baseline for key points: every detection has its class's mean pose, fitted into its box."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections, GroundTruth

__all__ = ["MeanPose"]


@dataclass(frozen=True, slots=True, eq=False)
class MeanPose:
    """Mean places of key points.

    Attributes:
        xy: (classes, K, 2): fractions of the box's width and height from its upper left corner.
    """

    xy: NDArray[np.float64]

    @classmethod
    def of(cls, objects: Iterable[GroundTruth], classes: int, points: int) -> MeanPose:
        """The means over the labelled points of each class; the middle of the box for a point without any."""
        total, count = np.zeros((classes, points, 2)), np.zeros((classes, points, 1))
        for gt in objects:
            if gt.keypoints is not None and len(gt):
                labelled = gt.keypoints[..., 2:] > 0  # (N, K, 1)
                low, size = gt.xyxy[:, None, :2], gt.xyxy[:, None, 2:] - gt.xyxy[:, None, :2]
                np.add.at(total, gt.class_id, (gt.keypoints[..., :2] - low) / size * labelled)
                np.add.at(count, gt.class_id, labelled)
        return cls(np.where(count > 0, total / np.maximum(count, 1), 0.5))

    def answer(self, found: Detections) -> Detections:
        """The same detections with this pose."""
        low, size = found.xyxy[:, None, :2], found.xyxy[:, None, 2:] - found.xyxy[:, None, :2]
        xy = low + self.xy[found.class_id] * size  # (N, K, 2)
        points = np.concatenate([xy, np.ones((*xy.shape[:2], 1))], axis=2)
        return replace(found, keypoints=points)
