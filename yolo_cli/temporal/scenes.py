"""Made scenes: objects that walk, turn, stop and hide, and what a detector that errs reports of them.

They replace labelled videos, so that a network over tracks can be trained without any: every box's true
place is known, and a seed gives the same scene again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import cxcywh_to_xyxy
from yolo_cli.detections import Detections
from yolo_cli.tracks import Tracks, joined_tracks

__all__ = ["Scene", "made_scene"]

Floats = NDArray[np.floating[Any]]
Random = np.random.Generator

_SIZE = np.array([1000.0, 750.0])  # width and height of the image
_LENGTH = 100  # frames
_STEADY = 0.8  # how much of an object's speed is left after a frame in which it changes


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A made scene.

    Attributes:
        gt: where each object is in each frame, detected or not.
        frames: what the detector finds, frame by frame.
    """

    gt: Tracks
    frames: Sequence[Detections]


def made_scene(rng: Random) -> Scene:
    """A scene of 100 frames with 3 to 12 objects, and with false alarms."""
    objects = [_Object.made(rng) for _ in range(rng.integers(3, 13))]
    gt = joined_tracks([each.tracks(name) for name, each in enumerate(objects, start=1)])
    found: list[Floats] = [each.detected(rng) for each in objects]
    found += [_clutter(rng) for _ in range(rng.integers(0, 5))]
    found.append(_alarms(rng, objects))
    table = np.concatenate(found)  # (N, 6): frame, xyxy, confidence
    return Scene(gt, [_detections(table[table[:, 0] == number]) for number in range(_LENGTH)])


@dataclass(frozen=True, slots=True, eq=False)
class _Object:
    """One object: its first frame, and its boxes (T, 4) from then on as centre, width and height."""

    first: int
    boxes: Floats

    @classmethod
    def made(cls, rng: Random) -> _Object:
        count = int(rng.integers(15, _LENGTH + 1))
        height = rng.uniform(40, 200) * np.exp(np.cumsum(np.full(count, rng.normal(0, 0.003))))  # (T,)
        gait = rng.uniform(0, 0.2) * np.sin(rng.uniform(0.3, 2.0) * np.arange(count) + rng.uniform(0, 6))
        width = height * _shape(rng) * (1 + gait)
        centre = rng.uniform(0, 1, 2) * _SIZE + height[:, None] * _path(rng, count)
        first = int(rng.integers(0, _LENGTH - count + 1))
        return cls(first, np.concatenate([centre, np.stack([width, height], axis=1)], axis=1))

    @property
    def frames(self) -> NDArray[np.integer[Any]]:
        return self.first + np.arange(len(self.boxes))

    def tracks(self, name: int) -> Tracks:
        count = len(self.boxes)
        whole = cxcywh_to_xyxy(self.boxes)
        return Tracks(self.frames, np.full(count, name), whole, np.ones(count), np.zeros(count, np.int64))

    def detected(self, rng: Random) -> Floats:
        """Rows (N, 6) of what a detector finds of it: jitter, misses one by one and in stretches."""
        count = len(self.boxes)
        seen = rng.random(count) >= rng.choice([0.02, 0.1, 0.25])
        for _ in range(rng.integers(0, 2)):  # hidden
            begin = rng.integers(0, count)
            seen[begin : begin + rng.integers(3, 20)] = False
        boxes = self.boxes + _jitter(rng, count, rng.uniform(0.01, 0.1)) * self.boxes[:, [2, 3, 2, 3]]
        confidence = rng.normal(rng.uniform(0.4, 0.95), 0.12, count)
        rows: Floats = _rows(self.frames, boxes, confidence)[seen]
        return rows


def _path(rng: Random, count: int) -> Floats:
    """Where an object goes (count, 2), in units of its height: straight, in curves, and with stops."""
    fast = rng.choice([0.0, 1.0], p=[0.1, 0.9]) * rng.gamma(2, 0.05)  # heights a frame
    speed, turn = np.zeros(count), np.zeros(count)
    now, at = fast, 0
    while at < count:
        end = at + int(rng.integers(8, 45))
        aim = fast * rng.choice([0.0, 0.5, 1.0, 1.5], p=[0.2, 0.15, 0.5, 0.15])
        turn[at:end] = rng.choice([0.0, 1.0], p=[0.6, 0.4]) * rng.normal(0, 0.1)  # radians a frame
        fade = _STEADY ** np.arange(1, min(end, count) - at + 1)
        speed[at:end] = aim + (now - aim) * fade
        now, at = speed[min(end, count) - 1], end
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(turn)
    step = speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=1)
    return np.cumsum(step, axis=0)


def _shape(rng: Random) -> float:
    """Width over height: of people most often, of cars now and then."""
    return float(np.exp(rng.uniform(np.log(0.28), np.log(1.6))))


def _jitter(rng: Random, count: int, size: float) -> Floats:
    """Errors (count, 4) of a detector's boxes, as fractions of their sides: smaller along the longer one.

    They have heavy tails, and a part of each error stays in the next frame.
    """
    fresh: Floats = np.clip(rng.standard_t(4, (count, 4)), -4, 4) * size * np.array([0.7, 0.25, 0.7, 0.4])
    kept = rng.uniform(0, 0.8)
    for at in range(1, count):
        fresh[at] = kept * fresh[at - 1] + np.sqrt(1 - kept**2) * fresh[at]
    return fresh


def _clutter(rng: Random) -> Floats:
    """Rows (N, 6) of something that is taken for an object now and then, at one place."""
    first, count = int(rng.integers(0, _LENGTH - 10)), int(rng.integers(5, 60))
    height = rng.uniform(40, 200)
    box = np.array([*(rng.uniform(0, 1, 2) * _SIZE), height * _shape(rng), height])
    boxes = box + _jitter(rng, count, rng.uniform(0.04, 0.15)) * box[[2, 3, 2, 3]]
    rows = _rows(first + np.arange(count), boxes, rng.normal(rng.uniform(0.1, 0.5), 0.12, count))
    found: Floats = rows[(rng.random(count) < rng.uniform(0.1, 0.7)) & (rows[:, 0] < _LENGTH)]
    return found


def _alarms(rng: Random, objects: Sequence[_Object]) -> Floats:
    """Rows (N, 6) of false alarms anywhere, as large as an object: up to a fifth of all boxes."""
    every = np.concatenate([each.boxes for each in objects])  # (N, 4)
    count = rng.poisson(rng.uniform(0, 0.2) * len(every))
    boxes = np.concatenate(
        [rng.uniform(0, 1, (count, 2)) * _SIZE, every[rng.integers(0, len(every), count), 2:]], axis=1
    )
    return _rows(rng.integers(0, _LENGTH, count), boxes, rng.uniform(0.1, 0.7, count))


def _rows(frame: NDArray[np.integer[Any]], boxes: Floats, confidence: Floats) -> Floats:
    return np.concatenate(
        [frame[:, None], cxcywh_to_xyxy(boxes), np.clip(confidence, 0.1, 0.99)[:, None]], axis=1
    )


def _detections(rows: Floats) -> Detections:
    boxes, confidence = rows[:, 1:5].astype(np.float32), rows[:, 5].astype(np.float32)
    return Detections(boxes, confidence, np.zeros(len(rows), np.int64))
