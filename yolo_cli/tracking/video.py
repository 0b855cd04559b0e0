"""Video files and folders of images → frames, and frames → a video file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.images import SUFFIXES, Image
from yolo_cli.sources import open_source

__all__ = ["Frame", "Video", "VideoWriter", "open_video"]

_USUAL_RATE = 25.0  # frames a second, where none is known


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame, not necessarily read yet.

    Attributes:
        number: from 0.
        time_s: seconds from the start; None in a folder of images.
        name: the video's name and the number, or the image's name.
        read: gives the image.
    """

    number: int
    time_s: float | None
    name: str
    read: Callable[[], Image]


@dataclass(frozen=True, slots=True)
class Video:
    """A video file, or the images of a folder in order.

    Attributes:
        name: as the user named it.
        rate: frames a second.
        count: how many frames its header promises, 0 if nothing is known.
        frames: opens it and gives one frame after the other.
    """

    name: str
    rate: float
    count: int
    frames: Callable[[], Iterator[Frame]]


def open_video(source: str) -> Video:
    """Open a video file, or what `open_source` makes images of, such as a folder.

    Raises:
        UserError: if there is no frame to be read.
    """
    path = Path(source)
    if not path.is_file() or path.suffix.lower() in (*SUFFIXES, ".txt"):
        items = list(open_source([source]))
        frames = [Frame(number, None, item.name, item.read) for number, item in enumerate(items)]
        return Video(source, _USUAL_RATE, len(frames), lambda: iter(frames))
    capture = _opened(source)
    rate, count = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    capture.release()
    rate = float(rate) if 0 < rate <= 1000 else _USUAL_RATE
    return Video(source, rate, max(int(count), 0), lambda: _frames(source, rate))


def _opened(source: str) -> Any:
    capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        raise DataError(f"{source}: cannot be read as a video; play it elsewhere, or convert it to MP4")
    return capture


def _frames(source: str, rate: float) -> Iterator[Frame]:
    """Frames as long as there are any; what is decoded is held by the frame alone."""
    capture = _opened(source)
    try:
        number = 0
        while True:
            there, bgr = capture.read()
            if not there:
                break
            milliseconds = capture.get(cv2.CAP_PROP_POS_MSEC)
            time_s = milliseconds / 1000 if milliseconds > 0 else number / rate
            image = Image(np.ascontiguousarray(bgr[:, :, ::-1]), f"{source}#{number}")
            yield Frame(number, time_s, image.name, lambda image=image: image)  # type: ignore[misc]
            number += 1
    finally:
        capture.release()
    if not number:
        raise DataError(f"{source}: holds no frame that can be read")


class VideoWriter:
    """Writes frames as Motion JPEG, which OpenCV can write everywhere.

    Args:
        path: of the file, ``.avi``.
        rate: frames a second.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self.path = path
        self._rate = rate
        self._writer: Any = None
        self._size = (0, 0)

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """Append a frame; one of another size than the first is scaled to it.

        Raises:
            DataError: if the file cannot be written.
        """
        if self._writer is None:
            self._size = rgb.shape[1], rgb.shape[0]
            code = cv2.VideoWriter.fourcc(*"MJPG")
            self._writer = cv2.VideoWriter(str(self.path), code, self._rate, self._size)
            if not self._writer.isOpened():
                raise DataError(f"{self.path}: cannot be written as a video")
        if (rgb.shape[1], rgb.shape[0]) != self._size:
            rgb = np.asarray(cv2.resize(rgb, self._size), np.uint8)
        self._writer.write(rgb[:, :, ::-1])

    def close(self) -> None:
        """Finish the file, if it was begun."""
        if self._writer is not None:
            self._writer.release()
