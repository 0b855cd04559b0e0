"""Cameras, RTSP and HTTP addresses → streams of packets, each an image that need not be decoded yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.headers import read_header
from yolo_cli.images import SILENT_OPENCV, decode_image
from yolo_cli.live.address import SCHEMES, Address
from yolo_cli.live.jpegs import split_jpegs
from yolo_cli.live.options import LiveOptions
from yolo_cli.video import USUAL_RATE, Pages, Video, open_capture, open_video, pages_of, quiet_capture

if TYPE_CHECKING:
    from yolo_cli.live.web import Response

__all__ = ["Decode", "Stream", "open_address"]

Decode = Callable[[str], NDArray[np.uint8]]
"""Gives the pixels of a packet, RGB (height, width, 3), or raises DataError with the name given."""

_LATER = 1.5  # a stall is noticed where frames are awaited, and only then by who reads
_MOTION_JPEG = ("multipart/x-mixed-replace", "multipart/mixed", "video/x-motion-jpeg", "video/x-mjpeg",
                "video/mjpeg", "image/mjpeg")  # fmt: skip


class Stream(Protocol):
    """What an address gives, packet by packet. It is used and closed in one thread.

    Attributes:
        rate: frames a second, about.
        still: whether it is one image and no stream.
    """

    rate: float
    still: bool

    def read(self) -> Decode | Pages | None:
        """Wait for the next packet; None at a proper end. `Pages` are all there is, and are read as a video.

        Raises:
            DataError: if the stream breaks.
        """
        ...

    def close(self) -> None:
        """Let go of the camera or connection."""
        ...


def open_address(address: Address, options: LiveOptions) -> Stream | Video:
    """Open a camera or an address; a video of known length is to be read as one.

    Raises:
        DataError: if it cannot be reached, or is neither image, video nor stream.
    """
    if not address.scheme:
        return _Camera(address, options)
    if address.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise DataError(f"{address.title}: {address.scheme}:// is not read; give one of {known}")
    if address.scheme.startswith("rtsp"):
        return _Network(address, options)
    from yolo_cli.live.web import connect  # not needed for files, and slow to import

    return _web_stream(connect(address, options.stall * _LATER), address, options)


def _web_stream(response: Response, address: Address, options: LiveOptions) -> Stream | Video:
    """By its content type, and where that says nothing, by its first bytes."""
    if response.kind in _MOTION_JPEG:
        return _MotionJpeg(response, address)
    begun = next(response.pieces(), b"")
    if response.kind.startswith("image/") or _is_image(begun):
        return _Still(response, begun, address.name)
    response.close()
    if response.kind.startswith("text/") or response.kind.endswith(("/json", "/xhtml+xml")):
        raise DataError(f"{address.title}: is {response.kind}, not an image, a video or a stream")
    video = open_video(address.title, address.url, timeout=options.stall * _LATER)
    return video if video.count else _Network(address, options)


def _is_image(begun: bytes) -> bool:
    try:
        return bool(read_header(begun, ""))
    except DataError:
        return False


class _Still(Stream):
    """One image, or a file of several pages."""

    rate, still = USUAL_RATE, True

    def __init__(self, response: Response, begun: bytes, name: str) -> None:
        self._response, self._begun, self._name, self._done = response, begun, name, False

    def read(self) -> Decode | Pages | None:
        if self._done:
            return None
        data, self._done = self._response.image_bytes(self._begun), True
        return pages_of(data, self._name) or (lambda name: decode_image(data, name).rgb)

    def close(self) -> None:
        self._response.close()


class _MotionJpeg(Stream):
    """JPEG images one after the other, as cameras send them over HTTP."""

    rate, still = USUAL_RATE, False

    def __init__(self, response: Response, address: Address) -> None:
        self._response, self._title = response, address.title
        self._images = split_jpegs(response.pieces(), address.title, cut=False)

    def read(self) -> Decode | None:
        data = next(self._images, None)
        if data is not None:
            return lambda name: decode_image(data, name, accept_damaged=True).rgb
        if self._response.whole:
            return None
        raise DataError(f"{self._title}: the connection has ended")

    def close(self) -> None:
        self._response.close()


class _Captured(Stream):
    """What OpenCV captures."""

    still = False

    def __init__(self, capture: Any, title: str) -> None:
        self._capture, self._title = capture, title
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if 0 < rate <= 1000 else USUAL_RATE

    def read(self) -> Decode | None:
        with SILENT_OPENCV:
            there, bgr = self._capture.read()
        if not there:
            raise DataError(f"{self._title}: gives no more frames")
        return lambda _: np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def close(self) -> None:
        self._capture.release()


class _Camera(_Captured):
    """A camera of this computer, by its number."""

    def __init__(self, address: Address, options: LiveOptions) -> None:
        capture = quiet_capture(int(address.url))
        if not capture.isOpened():
            raise DataError(f"{address.title}: cannot be opened; is it plugged in, free, and yours to use?")
        height, width = options.camera_size or (None, None)
        wanted = {
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
            cv2.CAP_PROP_FPS: options.camera_rate,
            cv2.CAP_PROP_BUFFERSIZE: 1,  # or the newest frame would be several old
        }
        for setting, value in wanted.items():
            if value is not None:
                capture.set(setting, value)
        super().__init__(capture, address.title)


class _Network(_Captured):
    """RTSP, HLS and what else FFmpeg reads from the network."""

    def __init__(self, address: Address, options: LiveOptions) -> None:
        super().__init__(open_capture(address.title, address.url, options.stall * _LATER), address.title)
