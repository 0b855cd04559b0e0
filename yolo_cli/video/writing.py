"""Frames → a video file: VP9 in WebM with PyAV, else Motion JPEG in AVI with OpenCV."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.images import SILENT_OPENCV
from yolo_cli.video.sound import Sound

__all__ = ["VideoWriter", "pyav_advice"]

# Realtime VP9 is three times as fast as detection on one core, and every browser plays it. WebM, not MP4:
# its index is not at the end, so that what was written before a power cut can be played.
_VP9 = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "row-mt": "1", "crf": "28", "b": "0"}
_BT709 = 1  # in FFmpeg: matrix, primaries, transfer; untagged, players would guess by the height
_LIMITED = 1  # 16 to 235
_HIGHEST_RATE = 60.0  # in AVI; some files say 1000, for times in milliseconds
_LONGEST_STILL_S = 60.0  # AVI has a constant rate: a longer pause between two frames is shortened to this


def pyav_advice() -> str | None:
    """What to install for videos that browsers play; None if PyAV is there."""
    if find_spec("av"):
        return None
    how = "pip install 'yolo-cli[video]'"
    return f"PyAV is not installed: videos are large Motion JPEG, which browsers do not play; {how}"


class VideoWriter:
    """Writes frames at their times, as ``STEM.part.webm`` (or ``.avi``) until it is closed.

    The first frame's time becomes 0. A frame of another size than the first is scaled to it.

    Args:
        stem: the path without a suffix; an existing file is replaced.
        rate: frames a second, for frames without a time.
        sound: the video file whose sound is kept, if PyAV is there; None for none.

    Attributes:
        path: the file, once it is closed.
    """

    def __init__(self, stem: Path, rate: float, sound: Path | None = None) -> None:
        self._kind: type[_Encoder] = _Avi if pyav_advice() else _WebM
        self.path = stem.with_name(stem.name + self._kind.suffix)
        self._part = stem.with_name(f"{stem.name}.part{self._kind.suffix}")
        self._rate, self._sound = rate, sound
        self._encoder: _Encoder | None = None
        self._size, self._frames, self._first_s = (0, 0), 0, 0.0

    def add(self, rgb: NDArray[np.uint8], time_s: float | None = None) -> None:
        """Append a frame.

        Raises:
            DataError: if the file cannot be written.
        """
        time_s = self._frames / self._rate if time_s is None else time_s
        with self._errors():
            if self._encoder is None:
                self._size, self._first_s = (rgb.shape[1], rgb.shape[0]), time_s
                self._part.parent.mkdir(parents=True, exist_ok=True)
                self._encoder = self._kind(self._part, self._size, self._rate)
                if self._sound:
                    self._encoder.add_sound(self._sound, time_s)
            if (rgb.shape[1], rgb.shape[0]) != self._size:
                rgb = np.asarray(cv2.resize(rgb, self._size, interpolation=cv2.INTER_AREA), np.uint8)
            self._encoder.add(rgb, time_s - self._first_s)
        self._frames += 1

    def close(self) -> None:
        """Finish the file, if it was begun.

        Raises:
            DataError: if it cannot be written.
        """
        if self._encoder is not None:
            encoder, self._encoder = self._encoder, None
            with self._errors():
                encoder.close()
                with self._part.open("rb+") as file:
                    os.fsync(file.fileno())  # what is called complete survives a power cut
                self._part.replace(self.path)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the errors of PyAV, OpenCV and the system into a DataError."""
        try:
            yield
        except _faults() as fault:
            reason = " ".join(str(getattr(fault, "strerror", None) or fault).split())
            raise DataError(f"{self.path}: cannot be written as a video: {reason}") from fault


def _faults() -> tuple[type[Exception], ...]:
    """What goes wrong while writing; not all of PyAV's errors are OSErrors or ValueErrors."""
    av: Any = sys.modules.get("av")
    return (OSError, ValueError, cv2.error, *([av.FFmpegError] if av else []))


class _Encoder(Protocol):
    suffix: str

    def __init__(self, path: Path, size: tuple[int, int], rate: float) -> None: ...

    def add_sound(self, path: Path, start_s: float) -> None:
        """Keep the sound of a video file from a second on, if that can be done; before the first frame."""

    def add(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        """Append a frame of the size (width, height)."""

    def close(self) -> None: ...


class _WebM(_Encoder):
    """VP9 by PyAV; each frame at its own time."""

    suffix = ".webm"

    def __init__(self, path: Path, size: tuple[int, int], rate: float) -> None:
        from fractions import Fraction

        import av

        self._av: Any = av
        self._file: Any = av.open(str(path), "w", format="webm")
        nearest = max(Fraction(rate).limit_denominator(1001), Fraction(1, 1001))  # not 0 for a time lapse
        self._stream: Any = self._file.add_stream("libvpx-vp9", rate=nearest, options=_VP9)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        coder = self._stream.codec_context
        self._tick = coder.time_base = Fraction(1, 1000)  # the resolution of WebM
        coder.colorspace = coder.color_primaries = coder.color_trc = _BT709
        coder.color_range = _LIMITED
        self._last, self._frame_ms = -1, round(1000 / max(rate, 1.0))
        self._sound: Sound | None = None

    def add_sound(self, path: Path, start_s: float) -> None:
        self._sound = Sound(path, self._file, start_s)

    def add(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        """Append a frame; times that do not rise are moved by a millisecond."""
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        self._last = frame.pts = max(self._last + 1, round(time_s * 1000))
        frame.time_base = self._tick
        self._file.mux(self._stream.encode(frame))
        if self._sound:
            self._sound.until(self._last / 1000)

    def close(self) -> None:
        try:
            self._file.mux(self._stream.encode(None))
            if self._sound:
                self._sound.until((self._last + self._frame_ms) / 1000)
                self._sound.close()
        finally:
            self._file.close()


class _Avi(_Encoder):
    """Motion JPEG by OpenCV, at a constant rate: a frame is repeated until the time of the next."""

    suffix = ".avi"

    def __init__(self, path: Path, size: tuple[int, int], rate: float) -> None:
        self._rate = rate = min(max(rate, 1.0), _HIGHEST_RATE)  # it cannot write less than 1
        self._size = tuple(side + side % 2 for side in size)  # it cannot write odd sides
        code = cv2.VideoWriter.fourcc(*"MJPG")
        with SILENT_OPENCV:
            self._writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, code, rate, self._size)
        if not self._writer.isOpened():
            raise OSError("OpenCV cannot open it")
        self._slots, self._last = 0, np.empty((0, 0, 3), np.uint8)

    def add(self, rgb: NDArray[np.uint8], time_s: float) -> None:
        bottom, right = self._size[1] - rgb.shape[0], self._size[0] - rgb.shape[1]
        even = cv2.copyMakeBorder(rgb, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        pause = math.ceil(min(round(time_s * self._rate) - self._slots, _LONGEST_STILL_S * self._rate))
        for _ in range(pause if self._slots else 0):
            self._write(self._last)
        self._last = np.asarray(cv2.cvtColor(even, cv2.COLOR_RGB2BGR), np.uint8)
        self._write(self._last)

    def _write(self, bgr: NDArray[np.uint8]) -> None:
        self._writer.write(bgr)
        self._slots += 1

    def close(self) -> None:
        self._writer.release()
