"""The pixels of image files, and what their decoders say is wrong with them.

JPEG files are decoded by libjpeg-turbo through simplejpeg, which says what is missing or corrupt; all others,
and JPEG files in CMYK, by OpenCV.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.headers import Header
from yolo_cli.jpeg import decode_jpeg

__all__ = ["SILENT_OPENCV", "decode", "over_white"]

_STRIP = 1 << 20  # pixels


def decode(data: bytes, header: Header, at_least: int | None = None) -> tuple[NDArray[np.uint8] | None, str]:
    """Upright RGB, (height, width, 3), or None if the bytes cannot be decoded; and what is wrong with them.

    The orientation is the header's, by which boxes are turned too; the decoder's own reading is ignored.

    Args:
        data: the content of the file.
        header: its header.
        at_least: pixels of the shorter side that are enough, as for `decode_image`.
    """
    if header.kind == "JPEG":
        rgb, damage = _jpeg(data, header, at_least)
    else:
        rgb, damage = _by_opencv(data, header), ""
    return None if rgb is None else _upright(rgb, header.orientation), damage


def _jpeg(data: bytes, header: Header, at_least: int | None) -> tuple[NDArray[np.uint8] | None, str]:
    """RGB of a JPEG file, and what libjpeg says is corrupt or missing in it.

    OpenCV uses the same libjpeg-turbo, with the same result, but keeps for itself what that says.
    """
    factor = _factor(header, at_least)
    height, width = (-(-side // factor) for side in (header.height, header.width))
    pixels, damage = decode_jpeg(data, height, width)
    return (_by_opencv(data, header) if pixels is None and not damage else pixels), damage


def _by_opencv(data: bytes, header: Header) -> NDArray[np.uint8] | None:
    """RGB as stored, or None if OpenCV cannot decode the bytes."""
    raw = np.frombuffer(data, np.uint8)  # (bytes,)
    with SILENT_OPENCV:
        pixels = _imdecode(raw, cv2.IMREAD_UNCHANGED) if header.alpha else None  # (h, w[, channels])
        rgb = None if pixels is None else _opaque(pixels, header)
        if rgb is None:
            kept = 0 if header.kind == "TIFF" else cv2.IMREAD_IGNORE_ORIENTATION
            pixels = _imdecode(raw, cv2.IMREAD_COLOR_RGB | kept)  # (height, width, 3)
            rgb = None if pixels is None else _uint8(pixels)
    return rgb


def _factor(header: Header, at_least: int | None) -> int:
    """By how much a JPEG file may be reduced."""
    spare = min(header.width, header.height) // at_least if at_least else 1
    return next(times for times in (8, 4, 2, 1) if spare >= times or times == 1)


def _opaque(pixels: NDArray[Any], header: Header) -> NDArray[np.uint8] | None:
    """Pixels (h, w[, 4]) with alpha or a transparent grey level over white; None if they have neither."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        premultiplied = header.kind == "TIFF" and pixels.dtype == np.uint8  # libtiff does that
        return over_white(pixels, premultiplied, bgra=True)
    if pixels.ndim == 2 and header.transparent is not None:
        hidden = pixels == header.transparent  # (h, w)
        return _uint8(cv2.cvtColor(np.where(hidden, np.uint8(255), _uint8(pixels)), cv2.COLOR_GRAY2RGB))
    return None


def _imdecode(raw: NDArray[np.uint8], flags: int) -> NDArray[Any] | None:
    """OpenCV's decoder, returning None on any failure."""
    try:
        pixels: NDArray[Any] | None = cv2.imdecode(raw, flags)
    except cv2.error:
        return None
    return pixels


def over_white(rgba: NDArray[Any], premultiplied: bool = False, *, bgra: bool = False) -> NDArray[np.uint8]:
    """Lay RGBA, (height, width, 4), of 8 or 16 bits over white; return RGB, (height, width, 3).

    Rows go a strip at a time, so that little memory is taken beside the result. ``premultiplied`` colours are
    multiplied by their alpha already; ``bgra`` has blue first.
    """
    out = np.empty((*rgba.shape[:2], 3), np.uint8)
    step = max(1, _STRIP // rgba.shape[1])
    for at in range(0, len(rgba), step):
        strip = _strip_over_white(_uint8(rgba[at : at + step]), premultiplied)
        out[at : at + step] = strip[..., ::-1] if bgra else strip
    return out


def _strip_over_white(rgba: NDArray[np.uint8], premultiplied: bool) -> NDArray[np.uint8]:
    rgb, alpha = rgba[..., :3], rgba[..., 3:].astype(np.uint16)  # (h, w, 3), (h, w, 1)
    if alpha.min() == 255:
        return rgb
    # 255 * 255 + 127 < 65536, so 16 bits hold every sum.
    over = rgb.astype(np.uint16) if premultiplied else (rgb * alpha + 127) // 255  # (h, w, 3)
    return _uint8(np.minimum(over + (255 - alpha), 255).astype(np.uint8))


def _upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation, 1 to 8: 5 to 8 are on their side, four of them are mirrored."""
    if orientation >= 5:
        rgb = rgb.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        rgb = rgb[:, ::-1]
    if orientation in (3, 4, 7, 8):
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)


def _uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """The upper 8 of 16 bits; 8 bits unchanged."""
    if pixels.dtype == np.uint16:
        pixels = pixels >> 8
    return pixels.astype(np.uint8, copy=False)


class _Silence:
    """Silences OpenCV's warnings while any thread is inside; the DataError replaces them."""

    def __init__(self) -> None:
        self._lock, self._inside, self._level = Lock(), 0, 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                cv2.utils.logging.setLogLevel(self._level)


SILENT_OPENCV = _Silence()
