"""Video files → frames with their times.

OpenCV decodes. PyAV gives the same frames at the same times (both call FFmpeg), also where the rate is
variable or the file is cut off, and takes about as long; OpenCV is there without an extra, and turns frames
upright.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import SILENT_OPENCV, FramePosition, Image
from yolo_cli.limits import MAX_PIXELS
from yolo_cli.text import counted

__all__ = [
    "USUAL_RATE",
    "VIDEO_SUFFIXES",
    "Frame",
    "FrameChoice",
    "Video",
    "open_capture",
    "open_video",
    "quiet_capture",
]

# A file is a video by its name, since FFmpeg would find frames in text files, too.
VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".ts", ".mts",
                  ".m2ts", ".wmv", ".flv", ".3gp", ".ogv", ".mjpg", ".mjpeg")  # fmt: skip
USUAL_RATE = 25.0  # frames a second, where none is known
_END = 250  # frames in a row that cannot be decoded are the end
_SLACK_S = 0.5  # containers round their duration, and count that of the sound


@dataclass(frozen=True, slots=True)
class FrameChoice:
    """Which frames of a video are read.

    Attributes:
        every: each so many-th frame, from the first in the time range.
        start: seconds from which on.
        end: seconds before which; None is the end of the video.
        max_frames: maximum number of frames; None is all.

    Raises:
        UsageError: if a value is out of range.
    """

    every: int = 1
    start: float = 0.0
    end: float | None = None
    max_frames: int | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UsageError(f"--every is {self.every}, but must be at least 1")
        if not 0 <= self.start < math.inf:
            raise UsageError(f"--from is {self.start:g}, but must be 0 seconds or more")
        if self.end is not None and not self.start < self.end:
            raise UsageError(f"--to is {self.end:g}, but must be after second {self.start:g}")
        if self.max_frames is not None and self.max_frames < 1:
            raise UsageError(f"--max-frames is {self.max_frames}, but must be at least 1")

    def of(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The chosen ones of frames that are decoded already, and their faults."""
        first, given = -1, 0
        for frame in frames:
            place = frame.image.frame if frame.image else None
            if place and place.time_s < self.start:
                continue
            if place and self.end is not None and place.time_s >= self.end:
                return
            first = place.number if place and first < 0 else first
            if place is None or (place.number - first) % self.every == 0:
                given += place is not None
                yield frame
            if given == self.max_frames:
                return

    def or_fault(self, frames: Iterable[Frame], name: str) -> Iterator[Frame]:
        """The chosen frames of a video, or a fault if there is none."""
        none = True
        for frame in frames:
            none = False
            yield frame
        if none:
            until = "on" if self.end is None else f"to {self.end:g}"
            yield Frame(name, fault=f"{name}: has no frame from second {self.start:g} {until}")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame that is decoded, or why there is none.

    Attributes:
        name: the video's name, and the frame's number if it is decoded.
        image: the frame, upright; None if there is none.
        fault: why not.
        decode_ms: milliseconds that it took to decode it, with the frames that were passed over before it.
    """

    name: str
    image: Image | None = None
    fault: str = ""
    decode_ms: float = 0.0

    def read(self) -> Image:
        """The image.

        Raises:
            DataError: if there is none.
        """
        if self.image is None:
            raise DataError(self.fault)
        return self.image


@dataclass(frozen=True, slots=True)
class Video:
    """A video file.

    Attributes:
        name: its path, as the user named it.
        rate: frames a second; an average if the rate is variable.
        count: how many frames, at that rate, its header promises; 0 if it does not tell.
        url: where it is on the network; None for a file.
        timeout: seconds to wait for the network.
    """

    name: str
    rate: float
    count: int
    url: str | None = field(default=None, repr=False)
    timeout: float = 10.0

    def expected(self, choice: FrameChoice) -> int:
        """About how many frames `frames` gives; 0 if unknown."""
        if not self.count:
            return 0
        end = min(self.count, math.inf if choice.end is None else choice.end * self.rate)
        frames = max(math.ceil((end - choice.start * self.rate) / choice.every), 0)
        return min(frames, choice.max_frames or frames)

    def frames(self, choice: FrameChoice | None = None) -> Iterator[Frame]:
        """Open the file, and decode one frame after the other, in constant memory.

        Frames are numbered from 0 in the order in which they are shown. A video that ends before its header
        says, or has none of the chosen frames, ends with a `Frame` that has the fault.

        Raises:
            DataError: if it cannot be opened.
        """
        capture, choice = open_capture(self.name, self.url, self.timeout), choice or FrameChoice()
        try:
            yield from choice.or_fault(_Reading(self, capture, choice).frames(), self.name)
        finally:
            capture.release()


def open_video(path: str, url: str | None = None, timeout: float = 10.0) -> Video:
    """Read the header of a video.

    Args:
        path: the file; of an address its name, with passwords masked.
        url: the address; None for a file.
        timeout: seconds to wait for the network.

    Raises:
        DataError: if it is not a video.
    """
    capture = open_capture(path, url, timeout)
    rate, number = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    capture.release()
    rate, count = (rate if 0 < rate <= 1000 else USUAL_RATE), (int(number) if 0 < number < 1e9 else 0)
    return Video(path, rate, count, url, timeout)


class _Reading:
    """One pass over a video."""

    def __init__(self, video: Video, capture: Any, choice: FrameChoice) -> None:
        self._video, self._capture, self._choice = video, capture, choice
        self._time_s = self._longest_gap_s = 0.0
        self._began = perf_counter()
        self._ended_after: int | None = None

    def frames(self) -> Iterator[Frame]:
        """The chosen frames."""
        choice, first, given = self._choice, -1, 0
        for number, lost in self._grabbed():
            if self._time_s < choice.start:
                continue
            if lost and (first >= 0 or not choice.start):  # in the range
                yield self._lost(lost, number)
            first = number if first < 0 else first
            if (number - first) % choice.every == 0:
                given += 1
                yield self._frame(number)
                self._began = perf_counter()
            if given == choice.max_frames:
                return
        yield from self._ending()

    def _grabbed(self) -> Iterator[tuple[int, int]]:
        """Decode frame by frame up to the last in the time range: numbers, and how many are lost before each.

        OpenCV tells a frame that cannot be decoded and the end of the file alike.
        """
        number = lost = 0
        while lost < (_END if self._video.url is None else 1):  # each waits for the network
            if not self._capture.grab():  # decodes, but converts no colours yet
                lost += 1
                continue
            number += lost
            self._clock(number)
            if self._choice.end is not None and self._time_s >= self._choice.end:
                return
            yield number, lost
            number, lost = number + 1, 0
        self._ended_after = number

    def _clock(self, number: int) -> None:
        """Take the time of a grabbed frame; where the file has none, by the rate."""
        given = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        time_s = given if 0 < given < math.inf else number / self._video.rate
        self._longest_gap_s = max(self._longest_gap_s, time_s - self._time_s)
        self._time_s = time_s

    def _frame(self, number: int) -> Frame:
        name = f"{self._video.name}#{number}"
        there, bgr = self._capture.retrieve()
        if not there:
            return Frame(name, fault=f"{name}: cannot be decoded")
        position = FramePosition(self._video.name, number, round(self._time_s, 6), self._video.rate)
        rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        return Frame(name, Image(rgb, name, position), decode_ms=(perf_counter() - self._began) * 1000)

    def _lost(self, frames: int, number: int) -> Frame:
        name = self._video.name
        return Frame(name, fault=f"{name}: {counted(frames, 'damaged frame')} before #{number} left out")

    def _ending(self) -> Iterator[Frame]:
        """What is wrong with a video that was read to its end, if anything."""
        name, number, promised = self._video.name, self._ended_after, self._video.count
        if number == 0:
            yield Frame(name, fault=f"{name}: holds no frame that can be read")
        if not number:
            return
        # A video of variable rate has fewer frames than slots, and still lasts as long as it says.
        missing_s = (promised - 1) / self._video.rate - self._time_s
        if number < promised and missing_s > max(_SLACK_S, self._longest_gap_s):
            where = f"ends after {number} of {promised} frames ({self._time_s:.1f} s)"
            yield Frame(name, fault=f"{name}: {where}; it is cut off, or its header is wrong")


def open_capture(name: str, url: str | None = None, timeout: float = 10.0) -> Any:
    """A ``cv2.VideoCapture`` of a file, or of an address on the network.

    Raises:
        DataError: if FFmpeg cannot read it.
    """
    target = os.path.abspath(name) if url is None else url  # noqa: PTH100  # never taken for an address
    limit = max(round(timeout * 1000), 1)
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit]
    with suppress(cv2.error, UnicodeError):
        capture = quiet_capture(target, cv2.CAP_FFMPEG, [] if url is None else limits)
        if capture.isOpened():
            _check_size(name, capture)
            return capture
    if url is None and os.path.isfile(target) and not os.path.getsize(target):  # noqa: PTH113, PTH202
        raise DataError(f"{name}: is empty (0 bytes); save or download it again")
    if url is None:
        raise DataError(f"{name}: cannot be read as a video; play it elsewhere, or convert it to MP4")
    raise DataError(f"{name}: gives no video or stream; check the address, user and password")


def quiet_capture(*arguments: Any) -> Any:
    """A ``cv2.VideoCapture`` that prints nothing: neither warnings, nor an address with its password."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # is read once, when the first is made
    with SILENT_OPENCV:
        return cv2.VideoCapture(*arguments)


def _check_size(path: str, capture: Any) -> None:
    """Raise DataError for frames that are larger than images may be."""
    width, height = (round(capture.get(it)) for it in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > MAX_PIXELS:
        capture.release()
        raise DataError(f"{path}: its frames have {width} x {height} pixels; scale it down")
