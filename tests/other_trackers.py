"""Other programs' trackers on the same detections, and detections made from ground truth."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from yolo_cli.config import TrackConfig
from yolo_cli.detections import Detections
from yolo_cli.tracking import Tracker
from yolo_cli.tracks import Tracks, joined_tracks

__all__ = ["Frames", "made_detections", "our_tracks", "roboflow_tracks", "supervision_tracks"]

Frames = Sequence[tuple[int, Detections]]

# supervision had ByteTrack up to release 0.27, which newer packages cannot be installed beside.
_PYTHON = "YOLO_CLI_SUPERVISION_PYTHON"
_SUPERVISION = """
import json, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
import supervision
tracker, rows = supervision.ByteTrack(), []
for frame, boxes, confidence in json.load(sys.stdin):
    found = supervision.Detections(
        xyxy=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.array(confidence, np.float32),
        class_id=np.zeros(len(boxes), int),
    )
    found = tracker.update_with_detections(found)
    rows += [[frame, int(name), *map(float, box)] for box, name in zip(found.xyxy, found.tracker_id)]
print(json.dumps(rows))
"""


def made_detections(gt: Tracks, seed: int, spread: bool) -> Frames:
    """Boxes of ground truth with jitter (5 % of their size), misses (20 %) and false alarms (10 %).

    Confidences are spread around 0.75, from 0.1 to 0.7 for false alarms; or else 0.9, and from 0.3 to 0.9.
    """
    rng = np.random.default_rng(seed)
    low, high = gt.xyxy[:, :2].min(axis=0), gt.xyxy[:, 2:].max(axis=0)
    numbers = range(int(gt.frame.min()), int(gt.frame.max()) + 1)
    alarms = 0.1 * len(gt) / len(numbers)  # per frame
    return [(number, _made(rng, gt, number, (low, high, alarms), spread)) for number in numbers]


def _made(rng: np.random.Generator, gt: Tracks, number: int, where: Any, spread: bool) -> Detections:
    boxes = gt.xyxy[gt.frame == number]
    boxes = boxes[rng.random(len(boxes)) >= 0.2]
    size = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + rng.normal(0, 0.05, size.shape) * size
    size = size * (1 + rng.normal(0, 0.05, size.shape))
    confidence = (
        np.clip(rng.normal(0.75, 0.15, len(boxes)), 0.12, 0.99) if spread else np.full(len(boxes), 0.9)
    )
    low, high, alarms = where
    count = rng.poisson(alarms)
    like = gt.xyxy[rng.integers(0, len(gt), count)]
    centre = np.concatenate([centre, rng.uniform(low, high, (count, 2))])
    size = np.concatenate([size, like[:, 2:] - like[:, :2]])
    doubtful = rng.uniform(0.1, 0.7, count) if spread else rng.uniform(0.3, 0.9, count)
    xyxy = np.concatenate([centre - size / 2, centre + size / 2], axis=1).astype(np.float32)
    confidence = np.concatenate([confidence, doubtful]).astype(np.float32)
    order = rng.permutation(len(xyxy))
    return Detections(xyxy[order], confidence[order], np.zeros(len(xyxy), np.int64))


def our_tracks(frames: Frames, **options: Any) -> Tracks:
    tracker = Tracker(TrackConfig(**options))
    return joined_tracks([tracker.update(found, number) for number, found in frames])


def supervision_tracks(frames: Frames) -> Tracks:
    """ByteTrack of supervision, from the Python that ``YOLO_CLI_SUPERVISION_PYTHON`` names, or this one."""
    python = os.environ.get(_PYTHON, sys.executable)
    data = json.dumps([(number, it.xyxy.tolist(), it.confidence.tolist()) for number, it in frames])
    command = [python, "-c", _SUPERVISION]
    done = subprocess.run(command, input=data, capture_output=True, text=True, check=False)
    if "has no attribute 'ByteTrack'" in done.stderr or "No module named" in done.stderr:
        pytest.skip(f"supervision up to 0.27 has ByteTrack, and {_PYTHON} names no interpreter with it")
    assert not done.returncode, done.stderr
    return _tracks(json.loads(done.stdout))


def roboflow_tracks(frames: Frames, **options: Any) -> Tracks:
    """ByteTrack of Roboflow's ``trackers``."""
    if importlib.util.find_spec("trackers") is None:
        pytest.skip("trackers is not installed")
    rows: list[list[float]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import supervision
        import trackers

        tracker = trackers.ByteTrackTracker(**options)
        for number, it in frames:
            found = supervision.Detections(xyxy=it.xyxy, confidence=it.confidence, class_id=it.class_id)
            found = tracker.update(found)
            each = zip(found.xyxy, found.tracker_id, strict=True)
            rows += [[number, int(name), *map(float, box)] for box, name in each if name >= 0]
    return _tracks(rows)


def _tracks(rows: Sequence[Sequence[float]]) -> Tracks:
    table = np.array(rows, float).reshape(-1, 6)
    frame, track_id = table[:, :2].astype(int).T
    return Tracks(frame, track_id, table[:, 2:], np.ones(len(table)), np.zeros(len(table), int))
