"""Decode and encode images: RGB uint8, upright.

Every image is converted to 8 bits per channel (of 16, the upper 8) and three channels (grey is repeated,
CMYK converted), blended over white if transparent, and turned upright by its EXIF orientation. Of several
frames or pages, the first is read. Formats: JPEG, PNG, WebP, BMP, TIFF, GIF, PNM.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from yolo_cli.errors import DataError, UsageError, unreadable
from yolo_cli.files import atomic_write_bytes, path_of
from yolo_cli.headers import Header, read_header
from yolo_cli.limits import MAX_IMAGE, MAX_PIXELS, read_file

__all__ = [
    "FOREIGN",
    "SILENT_OPENCV",
    "SUFFIXES",
    "WRITABLE",
    "FramePosition",
    "Image",
    "check_pixels",
    "crop",
    "decode_image",
    "encode_image",
    "over_white",
    "read_image",
    "write_image",
]

WRITABLE = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
SUFFIXES = (*WRITABLE, ".jpe", ".jfif", ".gif", ".ppm", ".pgm", ".pbm", ".pnm")  # in lower case
FOREIGN = (".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".j2k", ".jpf", ".jpx", ".dng", ".cr2", ".cr3",
           ".nef", ".arw", ".raf", ".orf", ".rw2", ".psd")  # fmt: skip
"""Suffixes of images that are not read here; in folders such files are named instead of ignored."""


@dataclass(frozen=True, slots=True)
class FramePosition:
    """The place of a frame in its video.

    Attributes:
        video: the video's name, as the user gave it.
        number: from 0.
        time_s: seconds from the start.
        rate: the video's frames a second.
    """

    video: str
    number: int
    time_s: float
    rate: float = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One upright image.

    Attributes:
        rgb: uint8, (height, width, 3), in the order red, green, blue.
        name: where it came from, as the user named it: a path, or "-" for standard input.
        frame: the place in its video; None if it is not a frame.

    Raises:
        ValueError: if ``rgb`` is not a uint8 array of shape (height, width, 3) with at least one pixel.
    """

    rgb: NDArray[np.uint8]
    name: str = "image"
    frame: FramePosition | None = None

    def __post_init__(self) -> None:
        rgb: Any = self.rgb
        if not (
            isinstance(rgb, np.ndarray)
            and rgb.dtype == np.uint8
            and rgb.ndim == 3
            and rgb.shape[2] == 3
            and rgb.size
        ):
            raise ValueError("rgb must be a uint8 array of shape (height, width, 3) with at least one pixel")

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.rgb.shape[1])


def read_image(
    path: str | os.PathLike[str], name: str | None = None, *, at_least: int | None = None
) -> Image:
    """Read an image file. Any path works on every system, since OpenCV only decodes.

    Args:
        path: the file.
        name: its name in results and messages; None means the path as given.
        at_least: pixels of the shorter side that are enough, as for `decode_image`.

    Raises:
        DataError: if the file is missing, a folder, not readable, too large, or an incomplete image.
    """
    file = path_of(path, "path")
    name = os.fspath(path) if name is None else name
    return decode_image(_read_bytes(file, name), name, at_least=at_least)


def decode_image(data: bytes, name: str, *, at_least: int | None = None) -> Image:
    """Decode the bytes of an image file.

    Args:
        data: the content of the file.
        name: its name in results and messages.
        at_least: pixels of the shorter side that are enough: a JPEG file is then decoded at a half, a quarter
            or an eighth of its size. That reads all its data, so that damage is found, in half the time.

    Raises:
        DataError: if the bytes are empty, truncated, damaged, too large, or not an image.
    """
    if not data:
        raise DataError(f"{name}: is empty (0 bytes); save or download it again")
    header = read_header(data, name)
    check_pixels(header, name)
    if header.fault:
        raise DataError(f"{name}: the {header.kind} file {header.fault}; save or download it again")
    rgb = _decode(data, header, at_least)
    if rgb is None:
        raise DataError(
            f"{name}: the {header.kind} file is truncated, damaged or of a rare kind; save it again"
        )
    return Image(rgb, name)


def check_pixels(header: Header, name: str) -> None:
    """Raise a DataError if an image is too large to decode."""
    if header.width * header.height > MAX_PIXELS:
        size = f"{header.width:,}x{header.height:,}"
        raise DataError(f"{name}: {size} pixels are more than {MAX_PIXELS:,}; shrink or cut the image")


def crop(image: Image, xyxy: ArrayLike) -> NDArray[np.uint8]:
    """The pixels within a box, (h, w, 3), as a view of the image.

    Edges are rounded to whole pixels. A box on the image has at least one pixel; one beside it has none.

    Args:
        image: the image.
        xyxy: left, top, right and bottom edge in pixels, (4,).

    >>> image = Image(np.zeros((40, 60, 3), np.uint8))
    >>> crop(image, [-5, 10.4, 20, 30.6]).shape, crop(image, [7, 7, 7, 7]).shape
    ((21, 20, 3), (1, 1, 3))
    >>> crop(image, [-9, 0, -3, 40]).shape, crop(image, [60, 0, 70, 40]).shape
    ((40, 0, 3), (40, 0, 3))
    """
    x1, y1, x2, y2 = np.asarray(xyxy).round().astype(int).tolist()
    return image.rgb[max(y1, 0) : max(y2, y1 + 1, 0), max(x1, 0) : max(x2, x1 + 1, 0)]


def write_image(path: str | os.PathLike[str], rgb: NDArray[np.uint8]) -> None:
    """Write an image atomically, in the format of the suffix.

    Args:
        path: a name that ends in .jpg, .jpeg, .png, .webp, .bmp, .tif or .tiff.
        rgb: uint8, (height, width, 3).

    Raises:
        UsageError: if the suffix names no format that can be written.
        DataError: if the format cannot hold the image, or the file cannot be written.
    """
    path = path_of(path, "path")
    atomic_write_bytes(path, encode_image(rgb, path.suffix, str(path)))


def encode_image(rgb: NDArray[np.uint8], suffix: str, name: str = "image") -> bytes:
    """The bytes of an image file in the format of ``suffix``, as for `write_image`.

    Args:
        rgb: uint8, (height, width, 3).
        suffix: with its dot, as ".png".
        name: the image's name in messages.

    Raises:
        UsageError: if the suffix names no format that can be written.
        DataError: if the format cannot hold the image.
    """
    if suffix.lower() not in WRITABLE:
        raise UsageError(f"{name}: cannot write {suffix or 'no suffix'}; use one of {' '.join(WRITABLE)}")
    with SILENT_OPENCV:
        try:
            done, data = cv2.imencode(suffix.lower(), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error:
            done = False
    if not done:
        raise DataError(f"{name}: {suffix} cannot hold {rgb.shape[1]}x{rgb.shape[0]} pixels; use .png")
    return bytes(data.tobytes())


def _read_bytes(path: Path, name: str) -> bytes:
    """The content of the file; a DataError names why it cannot be read."""
    try:
        return read_file(path, name, MAX_IMAGE, "image")
    except IsADirectoryError as fault:
        raise DataError(f"{name}: is a folder, not an image") from fault
    except PermissionError as fault:  # on Windows a folder says this, too
        reason = "is a folder, not an image" if path.is_dir() else "may not be read: permission denied"
        raise DataError(f"{name}: {reason}") from fault
    except (OSError, ValueError) as fault:  # ValueError: a NUL byte in the name
        raise unreadable(name, fault) from fault


def _decode(data: bytes, header: Header, at_least: int | None) -> NDArray[np.uint8] | None:
    """Upright RGB, (height, width, 3), or None if OpenCV cannot decode the bytes.

    The orientation is the header's, by which boxes are turned too; OpenCV's own reading of it is ignored.
    """
    raw = np.frombuffer(data, np.uint8)  # (bytes,)
    with SILENT_OPENCV:
        pixels = _imdecode(raw, cv2.IMREAD_UNCHANGED) if header.alpha else None  # (h, w[, channels])
        rgb = None if pixels is None else _opaque(pixels, header)
        if rgb is None:
            kept = 0 if header.kind == "TIFF" else cv2.IMREAD_IGNORE_ORIENTATION
            pixels = _imdecode(raw, _size_flag(header, at_least) | kept)  # (height, width, 3), BGR
            rgb = None if pixels is None else _uint8(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    return None if rgb is None else _upright(rgb, header.orientation)


def _size_flag(header: Header, at_least: int | None) -> int:
    """OpenCV's flag for the smallest size that is enough."""
    if at_least is None or header.kind != "JPEG":
        return cv2.IMREAD_COLOR
    spare = min(header.width, header.height) // at_least
    return next((flag for times, flag in _REDUCED.items() if spare >= times), cv2.IMREAD_COLOR)


def _opaque(pixels: NDArray[Any], header: Header) -> NDArray[np.uint8] | None:
    """Pixels (h, w[, 4]) with alpha or a transparent grey level over white; None if they have neither."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        premultiplied = header.kind == "TIFF" and pixels.dtype == np.uint8  # libtiff does that
        return over_white(_uint8(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)), premultiplied)
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


def over_white(rgba: NDArray[np.uint8], premultiplied: bool = False) -> NDArray[np.uint8]:
    """Lay RGBA, (height, width, 4), over white; return RGB, (height, width, 3).

    ``premultiplied`` colours are multiplied by their alpha already.
    """
    rgb, alpha = rgba[..., :3], rgba[..., 3:].astype(np.uint16)  # (h, w, 3), (h, w, 1)
    if alpha.min() == 255:
        return np.ascontiguousarray(rgb)
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
