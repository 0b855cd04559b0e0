"""A track as a sequence for a 1-D convolution, and back.

A sequence has a step for each frame from the first to the last of a track. Steps without a box are filled by
linear interpolation first; the network is told which, and says how far each box is off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh

__all__ = ["CHANNELS", "TrackSequence", "backwards", "interpolated", "mirrored"]

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]

CHANNELS = 7
"""Of a step: velocity, whether it is a size, seen, inside the track, confidence, steps since and to a box."""
_FAR = 32.0  # steps
_GAIN = 10.0  # a tenth of a box is 1, for the network


@dataclass(frozen=True, slots=True, eq=False)
class TrackSequence:
    """One track, T steps long.

    Attributes:
        boxes: xyxy, (T, 4); where there was none, interpolated.
        seen: (T,), where there was a box.
        confidence: (T,), interpolated, too.
    """

    boxes: Floats
    seen: Bools
    confidence: Floats

    @classmethod
    def of(cls, steps: NDArray[np.integer[Any]], boxes: Floats, confidence: Floats) -> TrackSequence:
        """The sequence with ``boxes`` (N, 4) and ``confidence`` (N,) at ``steps`` (N,), which increase."""
        every = np.arange(steps[0], steps[-1] + 1)
        return cls(
            interpolated(every, steps, boxes),
            np.isin(every, steps),
            interpolated(every, steps, confidence[:, None])[:, 0],
        )

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def scale(self) -> Floats:
        """The track's own scale (4,): its median width, height, width and height, at least a pixel."""
        size = np.median(xyxy_to_cxcywh(self.boxes)[:, 2:], axis=0)
        scale: Floats = np.maximum(np.concatenate([size, size]), 1.0)
        return scale

    def inputs(self) -> Floats:
        """What the network sees of centre x and y, width and height, each apart: float32, (4, T, 7).

        It does not see where in the image the track is, nor how large: both are divided out.
        `CHANNELS` names the seven.
        """
        place = xyxy_to_cxcywh(self.boxes.astype(float)) / self.scale  # (T, 4)
        velocity = np.diff(place, axis=0, prepend=place[:1])
        of_size = np.array([0.0, 0.0, 1.0, 1.0])
        seen, since, until = self.seen.astype(float), _since(self.seen), _since(self.seen[::-1])[::-1]
        shared = np.stack([seen, np.ones(len(self)), seen * self.confidence, since, until], axis=1)  # (T, 5)
        parts = [_GAIN * velocity.T[..., None], np.broadcast_to(of_size[:, None, None], (4, len(self), 1))]
        return np.concatenate([*parts, np.broadcast_to(shared, (4, *shared.shape))], axis=2).astype(
            np.float32
        )

    def corrected(self, correction: Floats) -> Floats:
        """Boxes (T, 4), xyxy, after the network's ``correction`` (4, T)."""
        place = xyxy_to_cxcywh(self.boxes.astype(float))
        moved = place + correction.T * self.scale / _GAIN
        moved[:, 2:] = np.maximum(moved[:, 2:], 0.5 * place[:, 2:])
        return cxcywh_to_xyxy(moved)

    def correction_to(self, boxes: Floats) -> Floats:
        """The correction (4, T) that would give ``boxes`` (T, 4): the network's target."""
        off = xyxy_to_cxcywh(boxes.astype(float)) - xyxy_to_cxcywh(self.boxes.astype(float))
        return (_GAIN * off / self.scale).T.astype(np.float32)


def mirrored(inputs: Floats) -> Floats:
    """What the network would see (4, T, 7) of a track that moves the other way."""
    other = inputs.copy()
    other[..., 0] *= -1
    return other


def backwards(inputs: Floats) -> Floats:
    """What the network would see (4, T, 7) of a track in a video that runs backwards."""
    other = inputs[:, ::-1].copy()
    other[:, 1:, 0] = -other[:, :-1, 0]  # the velocity is that from the step before
    other[:, 0, 0] = 0
    other[..., [5, 6]] = other[..., [6, 5]]
    return other


def interpolated(every: NDArray[np.integer[Any]], steps: NDArray[np.integer[Any]], values: Floats) -> Floats:
    """``values`` (N, C) at ``steps`` (N,) → values (T, C) at ``every`` (T,), linear in between.

    >>> interpolated(np.arange(4), np.array([0, 3]), np.array([[0.0, 6.0], [3.0, 0.0]]))
    array([[0., 6.],
           [1., 4.],
           [2., 2.],
           [3., 0.]])
    """
    return np.stack([np.interp(every, steps, column) for column in values.T], axis=1)


def _since(seen: Bools) -> Floats:
    """Steps since the last box (T,), in units of 32."""
    steps = np.arange(len(seen))
    last = np.maximum.accumulate(np.where(seen, steps, 0))
    return np.minimum((steps - last) / _FAR, 1.0)
