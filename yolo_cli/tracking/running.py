"""Frames → detector → tracker → counts: the loop over one video."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.detections import Detections
from yolo_cli.detectors import Detector
from yolo_cli.errors import check_choice
from yolo_cli.files import make_folder, path_of
from yolo_cli.images import Image
from yolo_cli.pipeline import Outcome, ahead, read_outcome, run_detector
from yolo_cli.render import DrawStyle
from yolo_cli.results import each_detection
from yolo_cli.tracking.camera import CameraMotion
from yolo_cli.tracking.counting import Counter, Crossing
from yolo_cli.tracking.drawing import TrackDrawing
from yolo_cli.tracking.saving import TrackSaving
from yolo_cli.tracking.table import TrackTable
from yolo_cli.tracking.tracker import Tracker
from yolo_cli.tracking.video import Video
from yolo_cli.tracks import Tracks, joined_tracks

__all__ = ["Revise", "TrackRun", "TrackedFrame", "Watch"]


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFrame:
    """What is followed in one frame.

    Attributes:
        frame: its number, from 0.
        time_s: seconds from the start; None in a folder of images.
        name: the frame's name.
        tracks: its objects.
        class_names: by class id.
        image: the frame; None if it could not be read.
        error: why not.
        crossings: those that are counted in this frame.
        time_ms: milliseconds of each step.
    """

    frame: int
    time_s: float | None
    name: str
    tracks: Tracks
    class_names: tuple[str, ...]
    image: Image | None = None
    error: str | None = None
    crossings: tuple[Crossing, ...] = ()
    time_ms: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The object that ``yolo track --format ndjson`` prints for the frame."""
        where = {"image": self.name, "frame": self.frame, "time_s": self.time_s}
        if self.image is None:
            return {**where, "error": self.error}
        boxes = Detections(self.tracks.xyxy, self.tracks.confidence, self.tracks.class_id)
        found = zip(self.tracks.track_id.tolist(), each_detection(boxes, self.class_names), strict=True)
        return {
            **where,
            "width": self.image.width,
            "height": self.image.height,
            "detections": [{"track_id": name, **each.to_dict()} for name, each in found],
            "time_ms": {step: round(spent, 1) for step, spent in self.time_ms.items()},
        }


Embed = Callable[[Image, NDArray[np.floating[Any]]], NDArray[np.floating[Any]]]
"""An image and boxes (N, 4) → embeddings of length 1 (N, D)."""
Watch = Callable[[Iterable[TrackedFrame], int], Iterable[TrackedFrame]]
"""Passes frames on as they come; gets their number, too, 0 if it is unknown."""
Revise = Callable[[Tracks, NDArray[np.integer[Any]]], Tracks]
"""All tracks of a video and the numbers (F,) of its frames → other tracks in those frames, by frame."""


def _looks(embed: Embed, outcome: Outcome) -> NDArray[np.floating[Any]] | None:
    """The embeddings of a frame's detections; None where there are none."""
    if outcome.image is None or not len(outcome.detections):
        return None
    return embed(outcome.image, outcome.detections.xyxy)


class TrackRun:
    """One pass over a video: an iterator over `TrackedFrame`s, with what is known so far.

    Attributes:
        video: the video.
        model: what the output says of the model.
        table: one row for each object so far.
        counters: lines and zones with their counts so far.
        crossings: every crossing so far, with its time.
    """

    def __init__(
        self,
        detector: Detector,
        video: Video,
        tracker: Tracker,
        counters: tuple[Counter, ...] = (),
        *,
        watch: Watch | None = None,
        revise: Revise | None = None,
        **how: Any,
    ) -> None:
        self.video = video
        self.table = TrackTable()
        self.counters = counters
        self.crossings: list[tuple[Crossing, float | None]] = []
        self._names = detector.class_names
        self.model = {
            "name": detector.card.name,
            "input_size": detector.input_size,
            "class_names": detector.class_names,
        }
        self._saving: TrackSaving | None = None
        region = how.get("region")  # (K, 2)
        self._region = () if region is None else tuple(map(tuple, region.tolist()))
        frames: Iterable[TrackedFrame] = self._followed(detector, tracker, **how)
        if revise:  # there is nothing to count or save before the end
            frames = self._revised(watch(frames, video.count) if watch else frames, revise)
        done: Iterable[TrackedFrame] = self._finished(frames)
        self._frames = iter(watch(done, video.count) if watch and not revise else done)

    def __iter__(self) -> Iterator[TrackedFrame]:
        return self._frames

    def save_to(self, folder: str | os.PathLike[str], segment: float | None = None, **style: Any) -> None:
        """Save what passes from now on.

        The folder gets ``video.webm`` (without PyAV ``video.avi``) with ids, trails and counts, ``mot.txt``,
        ``tracks.csv``, and with counters ``crossings.csv``.

        Args:
            folder: made if need be.
            segment: minutes of each file of the video, ``video-001.webm`` and so on; None is one file.
            **style: ``line_width``, ``labels`` and ``confidence``, as for `draw`.

        Raises:
            UserError: if a file cannot be written, or a style is out of range.
        """
        drawing = TrackDrawing(self._names, DrawStyle(region=self._region, **style))
        video = Path(self.video.name)
        sound = video if video.is_file() else None
        folder = make_folder(path_of(folder, "folder"))
        self._saving = TrackSaving(folder, self.video.rate, drawing, segment, sound)

    def texts(self, format: str) -> Iterator[str]:  # noqa: A002 - named as the option
        """What ``yolo track --format`` prints, a piece at a time: ``file.writelines(run.texts("mot"))``.

        Args:
            format: ``table``, ``json``, ``ndjson``, ``csv`` or ``mot``.

        Raises:
            UsageError: if there is no such format.
        """
        from yolo_cli.tracking.formats import FORMATS  # which needs this module

        check_choice("format", format, FORMATS)
        return FORMATS[format](self)

    def _followed(
        self,
        detector: Detector,
        tracker: Tracker,
        *,
        camera_motion: bool = False,
        embed: Embed | None = None,
        **how: Any,
    ) -> Iterator[TrackedFrame]:
        camera = CameraMotion() if camera_motion else None
        number = -1
        reads_ahead = not self.video.is_live  # has its own thread
        outcomes = run_detector(detector, self.video.frames(), read_ahead=reads_ahead, **how)
        for outcome in ahead(outcomes, how.get("batch", 1) + 1):
            place = outcome.image.frame if outcome.image else None
            number = place.number if place else number + 1
            moved = camera.update(outcome.image) if camera and outcome.image else None
            looks = _looks(embed, outcome) if embed else None
            tracks = tracker.update(outcome.detections, number, moved, looks)
            time_s = place.time_s if place else None
            yield self._frame(number, time_s, outcome, tracks)

    def _frame(self, number: int, time_s: float | None, outcome: Outcome, tracks: Tracks) -> TrackedFrame:
        read = outcome.image, outcome.error
        return TrackedFrame(number, time_s, outcome.name, tracks, self._names, *read, time_ms=outcome.time_ms)

    def _revised(self, frames: Iterable[TrackedFrame], revise: Revise) -> Iterator[TrackedFrame]:
        """The frames once more, read again, with what `revise` makes of the tracks of all."""
        seen = [replace(frame, image=None) for frame in frames]
        numbers = np.array([frame.frame for frame in seen], np.int64)
        tracks = revise(joined_tracks([frame.tracks for frame in seen]), numbers)
        begins, ends = (np.searchsorted(tracks.frame, numbers, side) for side in ("left", "right"))
        for frame, begin, end, item in zip(seen, begins, ends, self.video.frames(), strict=False):
            read = read_outcome(item)
            yield replace(frame, tracks=tracks[begin:end], image=read.image, error=read.error)

    def _finished(self, frames: Iterable[TrackedFrame]) -> Iterator[TrackedFrame]:
        """The frames, counted and saved."""
        unchecked = self.counters
        try:
            for frame in frames:
                while frame.image and unchecked:
                    unchecked[0].check_within(frame.image.height, frame.image.width)
                    unchecked = unchecked[1:]
                self.table.update(frame.tracks, frame.time_s)
                crossings = tuple(each for counter in self.counters for each in counter.update(frame.tracks))
                self.crossings += [(each, frame.time_s) for each in crossings]
                counted = replace(frame, crossings=crossings)
                if self._saving:
                    self._saving.add(counted, self.counters, len(self.table))
                yield counted
        finally:
            if self._saving:
                self._saving.close(self)

    def to_dict(self) -> dict[str, Any]:
        """The objects, counts and crossings so far, as ``yolo track --format json`` prints them."""
        return {
            "tracks": [each.to_dict(self._names) for each in self.table.objects],
            "counts": [{"counter": counter.name, **counter.counts} for counter in self.counters],
            "crossings": [
                {
                    "counter": each.counter,
                    "direction": each.direction,
                    "frame": each.frame,
                    "time_s": time_s,
                    "track_id": each.track_id,
                    "class_name": self._names[each.class_id],
                }
                for each, time_s in self.crossings
            ],
        }
