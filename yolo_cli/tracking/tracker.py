"""ByteTrack: detections of one frame after another → tracks.

Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022: confident
detections are matched with the predicted objects first, the others only with objects that are still without.
Unlike there, the others may also bring back an object that was lost, and a detection's confidence counts
little in its similarity: a detector's confidence varies more than its boxes do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.config import TrackConfig
from yolo_cli.detections import Detections
from yolo_cli.tracking.matching import assigned, near_pairs
from yolo_cli.tracking.objects import Objects
from yolo_cli.tracks import Tracks

__all__ = ["Tracker"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]

# Similarity from which a pair is matched: IoU × confidence^¼ where detections are confident, else the IoU.
# Chosen on made videos: objects that walk, stop, and hide behind each other and behind bars.
_CONFIDENT, _DOUBTFUL = 0.25, 0.5
_CONFIDENCE_POWER = 0.25
_SMALLEST_IOU = 0.1
_OTHER_CLASS = 0.5  # factor of the similarity of a detection of another class than the object's
# To start an object takes this much of the way from `conf` to 1 more: ByteTrack's 0.7 beside its 0.6.
_SURER = 0.25
_ALIKE = 0.5  # similarity of embeddings from which a lost object is found again, wherever it is


class Tracker:
    """Follows objects through the frames of one video.

    Args:
        config: thresholds and patience.

    >>> tracker = Tracker()
    >>> for frame in range(3):
    ...     box = np.float32([[10 + 2 * frame, 0, 30 + 2 * frame, 40]])
    ...     tracks = tracker.update(Detections(box, np.float32([0.9]), np.array([0])), frame)
    >>> tracks.track_id, tracks.frame
    (array([1]), array([2]))
    """

    def __init__(self, config: TrackConfig | None = None) -> None:
        self.config = config or TrackConfig()
        self._objects = Objects.start(Detections())
        self._frame: int | None = None
        self._next_id = 1

    def update(
        self,
        detections: Detections,
        frame: int,
        camera: Floats | None = None,
        looks: Floats | None = None,
    ) -> Tracks:
        """The objects that are seen in a frame.

        Args:
            detections: of the frame, down to the confidence ``low_conf``; lower ones do not count.
            frame: its number, above that of the frame before; in between, frames may be left out.
            camera: how the image's points moved since the frame before, an affine matrix (2, 3).
            looks: an embedding of length 1 for each detection (N, D): detections then also have to look
                like the object, and an object that is lost is found again where nothing overlaps it.

        Returns:
            One box for each object that is confirmed and seen, by id: the filter's, which smooths the
            detections'; with the detection's confidence, and the class that most confidence went to so far.

        Raises:
            ValueError: if the frame is not after the one before.
        """
        first, passed = self._frame is None, 1 if self._frame is None else frame - self._frame
        if passed < 1:
            raise ValueError(f"frame {frame} does not follow frame {self._frame}")
        self._frame = frame
        objects = self._objects.predicted(passed, camera)
        rows, columns = _matched(objects, detections, self.config, looks)
        start = self.config.conf + _SURER * (1 - self.config.conf)
        new = np.setdiff1d(np.flatnonzero(detections.confidence >= start), columns)
        old_looks, new_looks = (None if looks is None else looks[at] for at in (columns, new))
        known = objects[rows].seen(detections[columns], old_looks)
        seen = Objects.joined(known, Objects.start(detections[new], new_looks))
        seen = self._confirmed(seen, first)
        unseen = objects[np.setdiff1d(np.arange(len(objects)), rows)]
        # An object that is not confirmed has to be seen in frame after frame.
        waiting = (unseen.track_id > 0) & (unseen.missed <= self.config.lost)
        self._objects = Objects.joined(seen, unseen[waiting])
        return _tracks(seen, detections.confidence[np.concatenate([columns, new])], frame)

    def _confirmed(self, seen: Objects, first: bool) -> Objects:
        """Give an id to objects that were seen often enough; in the first frame, to all."""
        due = (seen.track_id == 0) & (first | (seen.hits >= self.config.min_hits))  # (T,)
        ids = seen.track_id.copy()
        ids[due] = self._next_id + np.arange(due.sum())
        self._next_id += int(due.sum())
        return replace(seen, track_id=ids)


def _matched(
    objects: Objects, found: Detections, config: TrackConfig, looks: Floats | None
) -> tuple[Integers, Integers]:
    """Places of objects (M,) and of their detections (M,), in three rounds.

    Confident detections with confirmed objects; the others with those that still have none; confident
    detections that are left with objects that are not confirmed. With ``looks`` (N, D) there is a fourth,
    before the last: confident detections with objects that were lost, by their look alone.
    """
    row, column, similarity = near_pairs(objects.motion.boxes, found.xyxy, _SMALLEST_IOU)  # (P,) each
    similarity = np.where(objects.class_id[row] == found.class_id[column], 1, _OTHER_CLASS) * similarity
    confidence = found.confidence[column]  # (P,)
    high = confidence >= config.conf
    low = ~high & (confidence >= config.low_conf)
    known = objects.track_id[row] > 0
    fused = similarity * confidence**_CONFIDENCE_POWER
    rounds = [
        (row, column, known & high, fused, _CONFIDENT),
        (row, column, known & low, similarity, _DOUBTFUL),
        (row, column, ~known & high, fused, _CONFIDENT),
    ]
    if looks is not None and len(objects) and len(found):
        alike = objects.looks @ looks.T  # (T, N)
        rounds[0] = (row, column, known & high, fused * (1 + alike[row, column]) / 2, _CONFIDENT / 2)
        rounds.insert(2, _lost_round(objects, found, config, alike))
    free_row, free_column = np.ones(len(objects), bool), np.ones(len(found), bool)
    matches = []
    for row, column, among, score, threshold in rounds:
        at = among & free_row[row] & free_column[column]  # (P,)
        matches.append(np.stack(assigned(row[at], column[at], score[at], threshold)))
        free_row[matches[-1][0]] = free_column[matches[-1][1]] = False
    rows, columns = np.concatenate(matches, axis=1)  # (M,) each
    return rows, columns


def _lost_round(
    objects: Objects, found: Detections, config: TrackConfig, alike: Floats
) -> tuple[Any, Any, Any, Any, float]:
    """Objects that were not seen in the frame before, with confident detections, by ``alike`` (T, N)."""
    lost = (objects.track_id > 0) & (objects.missed > 1)  # (T,)
    high = found.confidence >= config.conf  # (N,)
    row, column = np.nonzero(lost[:, None] & high[None] & (alike >= _ALIKE))
    return row, column, np.ones(len(row), bool), alike[row, column], _ALIKE


def _tracks(seen: Objects, confidence: Floats, frame: int) -> Tracks:
    """What is reported of the objects that are confirmed, by their ids."""
    order = np.argsort(seen.track_id)  # (T,)
    order = order[seen.track_id[order] > 0]
    seen = seen[order]
    boxes = seen.motion.boxes.astype(np.float32)
    return Tracks(np.full(len(seen), frame), seen.track_id, boxes, confidence[order], seen.class_id)
