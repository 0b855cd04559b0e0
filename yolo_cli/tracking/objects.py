"""The objects that a tracker follows, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.tracking.motion import Motion

__all__ = ["Objects"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

_KEPT = 0.9  # of an object's look, at each embedding: as in DeepSORT's successors (Wang et al., 2020)


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """T objects.

    Attributes:
        motion: where they are.
        track_id: (T,), 0 for one that is not confirmed.
        hits: (T,), in how many frames each was seen.
        missed: (T,), how many updates ago each was seen.
        votes: (T, C), sum of confidences of each class.
        looks: (T, D), the mean of each one's embeddings, of length 1; D is 0 where there are none.
    """

    motion: Motion
    track_id: Integers
    hits: Integers
    missed: Integers
    votes: Floats
    looks: Floats

    @classmethod
    def start(cls, found: Detections, looks: Floats | None = None) -> Objects:
        """One new object for each detection, with its embedding if there are ``looks`` (N, D)."""
        count = len(found)
        zeros, ones = np.zeros(count, np.int64), np.ones(count, np.int64)
        looks = np.zeros((count, 0), np.float32) if looks is None else looks
        return cls(Motion.start(found.xyxy), zeros, ones, zeros, _votes(found), looks)

    @classmethod
    def joined(cls, a: Objects, b: Objects) -> Objects:
        """The objects of both, in their order."""
        wide, long = (max(x.shape[1], y.shape[1]) for x, y in ((a.votes, b.votes), (a.looks, b.looks)))
        return cls(
            Motion.joined([a.motion, b.motion]),
            np.concatenate([a.track_id, b.track_id]),
            np.concatenate([a.hits, b.hits]),
            np.concatenate([a.missed, b.missed]),
            np.concatenate([_padded(a.votes, wide), _padded(b.votes, wide)]),
            np.concatenate([_padded(a.looks, long), _padded(b.looks, long)]),
        )

    def __len__(self) -> int:
        return len(self.track_id)

    def __getitem__(self, index: Any) -> Objects:
        """The objects at ``index``: integer positions (K,) or a mask (T,)."""
        return Objects(*(getattr(self, field.name)[index] for field in fields(self)))

    @property
    def class_id(self) -> Integers:
        """The class that most of the confidence is in (T,)."""
        return self.votes.argmax(axis=1) if self.votes.size else np.zeros(len(self), np.int64)

    def predicted(self, passed: int, camera: Floats | None) -> Objects:
        """The objects as expected ``passed`` frames later, after the image moved by ``camera`` (2, 3)."""
        motion = self.motion if camera is None else self.motion.warped(camera)
        return replace(self, motion=motion.predicted(passed), missed=self.missed + 1)

    def seen(self, found: Detections, looks: Floats | None = None) -> Objects:
        """The objects after one detection of each, with its embedding if there are ``looks`` (T, D)."""
        votes = _votes(found)
        wide = max(votes.shape[1], self.votes.shape[1])
        return replace(
            self,
            motion=self.motion.updated(found.xyxy),
            hits=self.hits + 1,
            missed=np.zeros_like(self.missed),
            votes=_padded(self.votes, wide) + _padded(votes, wide),
            looks=self.looks if looks is None else self._blended(looks),
        )

    def _blended(self, looks: Floats) -> Floats:
        """The mean looks, with a new one for each (T, D)."""
        return _unit(_KEPT * _padded(self.looks, looks.shape[1]) + (1 - _KEPT) * looks)


def _unit(looks: Floats) -> Floats:
    """The vectors with length 1."""
    return np.asarray(looks / np.maximum(np.linalg.norm(looks, axis=1, keepdims=True), 1e-9))


def _votes(found: Detections) -> Floats:
    """The confidence of each detection in the column of its class (N, C)."""
    votes = np.zeros((len(found), int(found.class_id.max(initial=-1)) + 1), np.float32)
    votes[np.arange(len(found)), found.class_id] = found.confidence
    return votes


def _padded(votes: Floats, wide: int) -> Floats:
    """The same votes with columns for more classes."""
    return np.pad(votes, ((0, 0), (0, wide - votes.shape[1])))
