"""Made scenes → tracks of our tracker with what is true of each → arrays to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.boxes import paired_iou
from yolo_cli.temporal.scenes import Scene
from yolo_cli.temporal.sequences import CHANNELS, TrackSequence
from yolo_cli.tracking import Tracker
from yolo_cli.tracks import Tracks, joined_tracks

__all__ = ["WINDOW", "Example", "examples_of", "kept", "pool"]

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Integers = NDArray[np.integer[Any]]
Random = np.random.Generator

WINDOW = 64
"""Steps that the network is trained on at a time."""
_SAME = 0.4  # IoU from which a box shows an object
_SEEN, _HIDDEN = 0.3, 3.0  # weights in the loss of steps with a box, and of steps whose box was removed


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A track of N boxes over T steps.

    Attributes:
        steps: (N,), from 0 to T − 1.
        boxes: xyxy, (N, 4), as tracked.
        confidence: (N,).
        gt: xyxy, (T, 4), where the object is; NaN where there is none.
        real: whether at least half of the boxes show the same object.
    """

    steps: Integers
    boxes: Floats
    confidence: Floats
    gt: Floats
    real: bool


def examples_of(scene: Scene) -> list[Example]:
    """The tracks that `Tracker` makes of a scene."""
    tracker = Tracker()
    tracks = joined_tracks([tracker.update(found, number) for number, found in enumerate(scene.frames)])
    return [example(tracks[tracks.track_id == name], scene.gt) for name in np.unique(tracks.track_id)]


def example(track: Tracks, gt: Tracks) -> Example:
    """One track beside the object that it shows most often, if there is one."""
    names = np.unique(gt.track_id)
    paths = np.full((len(names), int(track.frame[-1] - track.frame[0]) + 1, 4), np.nan)  # (objects, T, 4)
    near = (gt.frame >= track.frame[0]) & (gt.frame <= track.frame[-1])
    paths[np.searchsorted(names, gt.track_id[near]), gt.frame[near] - track.frame[0]] = gt.xyxy[near]
    steps = track.frame - track.frame[0]
    hits = (paired_iou(paths[:, steps], track.xyxy.astype(float)) >= _SAME).sum(axis=1)  # (objects,)
    best = int(hits.argmax())
    real = bool(hits[best] >= len(track) / 2)
    return Example(steps, track.xyxy.astype(float), track.confidence, paths[best], real)


def kept(rng: Random, count: int, stretches: bool, removed: float = 0.2) -> Bools:
    """Which of ``count`` boxes are left (count,) when a fraction of them is removed.

    Args:
        rng: random numbers.
        count: boxes of a track; the first and the last always stay.
        stretches: remove 5 to 20 in a row, else single boxes anywhere.
        removed: the fraction.
    """
    inner = max(count - 2, 0)
    keep, wanted = np.ones(count, bool), min(round(removed * count), inner)
    if not stretches:
        keep[1 + rng.permutation(inner)[:wanted]] = False
        return keep
    for _ in range(100):
        length = min(int(rng.integers(5, 21)), wanted - int((~keep).sum()))
        if length <= 0:
            break
        begin = int(rng.integers(1, count - length))
        keep[begin : begin + length] = False
    return keep


def pool(rng: Random, examples: Sequence[Example], rounds: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Each example several times, with other boxes removed every time.

    Returns:
        Inputs (B, 4, 64, 7), corrections (B, 4, 64, 1), their weights (B, 4, 64), whether it is an object
        (B, 1).
    """
    drawn = [_drawn(rng, each) for _ in range(rounds) for each in examples]
    inputs, targets, weights, real = (np.stack(column) for column in zip(*drawn, strict=True))
    return inputs, targets, weights, real


def _drawn(rng: Random, given: Example) -> tuple[Floats, Floats, Floats, Floats]:
    """A window of an example, its coordinates stretched and mirrored at random."""
    window = _window(rng, given)
    keep = _random_kept(rng, len(window.steps))
    sequence = TrackSequence.of(window.steps[keep], window.boxes[keep], window.confidence[keep])
    target, weight = window.gt.copy(), np.full(len(sequence), _SEEN)
    target[window.steps[~keep]], weight[window.steps[~keep]] = window.boxes[~keep], _HIDDEN
    known = np.isfinite(target[:, 0])
    weight[~known | (not given.real)] = 0
    correction = sequence.correction_to(np.where(known[:, None], target, sequence.boxes))  # (4, T)
    inputs, targets = np.zeros((4, WINDOW, CHANNELS), np.float32), np.zeros((4, WINDOW, 1), np.float32)
    weights = np.zeros((4, WINDOW), np.float32)
    factor = rng.choice([-1, 1], (4, 1)) * np.exp(rng.uniform(-0.4, 0.4, (4, 1)))
    inputs[:, : len(sequence)] = sequence.inputs()
    inputs[..., 0] *= factor
    targets[:, : len(sequence), 0] = correction * factor
    weights[:, : len(sequence)] = weight
    return inputs, targets, weights, np.array([given.real], np.float32)


def _window(rng: Random, given: Example) -> Example:
    """At most 64 steps of an example, from a box to a box."""
    count = len(given.gt)
    begin = int(rng.integers(0, max(count - WINDOW, 0) + 1))
    within = (given.steps >= begin) & (given.steps < begin + WINDOW)
    if not within.any():
        return _window(rng, given)
    steps = given.steps[within]
    gt = given.gt[steps[0] : steps[-1] + 1]
    return Example(steps - steps[0], given.boxes[within], given.confidence[within], gt, given.real)


def _random_kept(rng: Random, count: int) -> Bools:
    """All boxes, or 20 % removed, or up to half of them."""
    how = rng.choice(4, p=[0.15, 0.25, 0.25, 0.35])
    if how == 0 or count < 3:
        return np.ones(count, bool)
    return kept(rng, count, stretches=how == 1, removed=rng.uniform(0, 0.5) if how == 3 else 0.2)
