"""Where tracks are and where they go: a Kalman filter with constant velocity, for all tracks at once.

The state of SORT (Bewley et al., ICIP 2016) with the centre, width and height of BoT-SORT (Aharon et al.,
2022). No noise is shared between the four, so that each is a filter of its own with two states, a value and
its velocity, and all of them are arrays (T, 4). Width and height have no velocity: a track that is not seen
keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh

__all__ = ["Motion"]

Floats = NDArray[np.floating[Any]]

# Standard deviations as fractions of the box's width (for x and width) and height (for y and height).
_MEASURED = 0.05  # of a detection's centre and size
_MOVED = 0.02  # of a centre or size in a frame, beyond its velocity
_ACCELERATED = 0.006  # of the velocity, from one frame to the next
_START = 0.0625  # of the velocity of a new track
_MOVES = np.array([1.0, 1.0, 0.0, 0.0])  # what has a velocity


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The state of T tracks, (T, 4) each: centre x and y, width and height, in pixels.

    Attributes:
        place: the values.
        velocity: their change in a frame.
        variance: of the values.
        covariance: of the values and their velocities.
        velocity_variance: of the velocities.
    """

    place: Floats
    velocity: Floats
    variance: Floats
    covariance: Floats
    velocity_variance: Floats

    @classmethod
    def start(cls, boxes: Floats) -> Motion:
        """The state of objects that are seen for the first time, at ``boxes`` (T, 4), xyxy."""
        place = xyxy_to_cxcywh(boxes.astype(float))  # (T, 4)
        zeros, scale = np.zeros_like(place), _scale(place)
        return cls(place, zeros, (_MEASURED * scale) ** 2, zeros, (_START * scale * _MOVES) ** 2)

    @classmethod
    def joined(cls, parts: Sequence[Motion]) -> Motion:
        """The states of all ``parts``, in their order."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def __getitem__(self, index: Any) -> Motion:
        """The states at ``index``: integer positions (K,) or a mask (T,)."""
        return Motion(*(getattr(self, field.name)[index] for field in fields(self)))

    @property
    def boxes(self) -> Floats:
        """(T, 4), xyxy."""
        return cxcywh_to_xyxy(self.place)

    def predicted(self, frames: int) -> Motion:
        """The states some frames later."""
        scale = _scale(self.place)
        moved, accelerated = frames * (_MOVED * scale) ** 2, frames * (_ACCELERATED * scale * _MOVES) ** 2
        spread = 2 * frames * self.covariance + frames**2 * self.velocity_variance
        return Motion(
            self.place + frames * self.velocity,
            self.velocity,
            self.variance + spread + moved,
            self.covariance + frames * self.velocity_variance,
            self.velocity_variance + accelerated,
        )

    def updated(self, boxes: Floats) -> Motion:
        """The states after detections at ``boxes`` (T, 4), xyxy."""
        seen = xyxy_to_cxcywh(boxes.astype(float))  # (T, 4)
        off = seen - self.place  # (T, 4)
        total = self.variance + (_MEASURED * _scale(seen)) ** 2  # (T, 4)
        gain, velocity_gain = self.variance / total, self.covariance / total  # (T, 4) each
        return Motion(
            self.place + gain * off,
            self.velocity + velocity_gain * off,
            (1 - gain) * self.variance,
            (1 - gain) * self.covariance,
            self.velocity_variance - velocity_gain * self.covariance,
        )

    def warped(self, affine: Floats) -> Motion:
        """The states in an image whose points moved by ``affine`` (2, 3), a rotation with one scale."""
        turn, scale = affine[:, :2], float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        place, velocity = self.place * scale, self.velocity * scale  # (T, 4) each
        place[:, :2] = self.place[:, :2] @ turn.T + affine[:, 2]
        velocity[:, :2] = self.velocity[:, :2] @ turn.T
        return replace(self, place=place, velocity=velocity)


def _scale(place: Floats) -> Floats:
    """Width, height, width, height (T, 4), at least a pixel."""
    return np.maximum(place[:, [2, 3, 2, 3]], 1.0)
