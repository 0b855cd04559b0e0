"""Decode and encode images: RGB uint8, upright.

Every image is converted to 8 bits per channel (of 16, the upper 8) and three channels (grey is repeated,
CMYK converted), blended over white if transparent, and turned upright by its EXIF orientation. Of several
frames or pages, the first is read. Formats: JPEG, PNG, WebP, BMP, TIFF, GIF, PNM.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from yolo_cli.damage import DAMAGED, DamagedError, damage_of
from yolo_cli.decoding import SILENT_OPENCV, decode, over_white
from yolo_cli.errors import DataError, UsageError, unreadable
from yolo_cli.files import atomic_write_bytes, path_of
from yolo_cli.headers import Header, read_header
from yolo_cli.limits import MAX_DECODING, MAX_IMAGE, MAX_PIXELS, read_file
from yolo_cli.time_limit import LIMIT

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
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    at_least: int | None = None,
    accept_damaged: bool | None = None,
) -> Image:
    """Read an image file. Any path works on every system, since OpenCV only decodes.

    Args:
        path: the file.
        name: its name in results and messages; None means the path as given.
        at_least: pixels of the shorter side that are enough, as for `decode_image`.
        accept_damaged: as for `decode_image`.

    Raises:
        DataError: if the file is missing, a folder, not readable, too large, or an incomplete image.
    """
    file = path_of(path, "path")
    name = os.fspath(path) if name is None else name
    return _within_limit(name, _read, file, name, at_least, accept_damaged)


def decode_image(
    data: bytes, name: str, *, at_least: int | None = None, accept_damaged: bool | None = None
) -> Image:
    """Decode the bytes of an image file.

    Args:
        data: the content of the file.
        name: its name in results and messages.
        at_least: pixels of the shorter side that are enough: a JPEG file is then decoded at a half, a quarter
            or an eighth of its size. That reads all its data, so that damage is found, in half the time.
        accept_damaged: read an image whose pixels are partly missing or corrupt; None follows
            `yolo_cli.damage.accept_damaged`.

    Raises:
        DamagedError: if pixels are missing or corrupt, and that is not accepted.
        DataError: if the bytes are empty, damaged beyond reading, too large, or not an image; or if it takes
            longer than `yolo_cli.image_timeout` allows.
    """
    return _within_limit(name, _decode, data, name, at_least, accept_damaged)


def _within_limit(name: str, read: Callable[..., Image], *arguments: object) -> Image:
    """What ``read`` returns, in the time that an image may take."""
    if LIMIT.limited is None:
        return read(*arguments)
    image, notes = LIMIT.limited.call(name, _noted, read, arguments)
    for note in notes:
        DAMAGED.note(note)
    return image


def _noted(read: Callable[..., Image], arguments: tuple[object, ...]) -> tuple[Image, list[str]]:
    """What ``read`` returns, in another process, and what it notes of damage."""
    DAMAGED.notes.clear()
    return read(*arguments), DAMAGED.notes


def _read(path: Path, name: str, at_least: int | None, accept_damaged: bool | None) -> Image:
    if path.suffix.lower() in (".tif", ".tiff"):
        from yolo_cli.large_tiff import read_large_tiff  # others start sooner without

        large = read_large_tiff(path, name, lambda data, part: _decode(data, part, None, accept_damaged).rgb)
        if large is not None:
            return Image(large, name)
    return _decode(_read_bytes(path, name), name, at_least, accept_damaged)


def _decode(data: bytes, name: str, at_least: int | None, accept_damaged: bool | None) -> Image:
    if not data:
        raise DataError(f"{name}: is empty (0 bytes); save or download it again")
    header = read_header(data, name)
    check_pixels(header, name)
    damage = damage_of(data, header)
    if damage:
        _refuse(f"the {header.kind} file {damage}", name, accept_damaged)
    rgb, found = decode(data, header, at_least)
    if found and not damage:
        _refuse(f"the {header.kind} file {found}", name, accept_damaged)
    if rgb is None:
        raise DataError(
            f"{name}: the {header.kind} file is truncated, damaged or of a rare kind; save it again"
        )
    return Image(rgb, name)


def _refuse(what: str, name: str, accept: bool | None) -> None:
    """Raise a DamagedError, unless damaged images are accepted; then say so, unless this one always is."""
    if not (DAMAGED.accepted if accept is None else accept):
        raise DamagedError(f"{name}: {what}; save or download it again")
    if accept is None:
        DAMAGED.note(f"{name}: {what}, and is read all the same")


def check_pixels(header: Header, name: str) -> None:
    """Raise a DataError if an image is too large to decode."""
    if header.width * header.height > MAX_PIXELS:
        size = f"{header.width:,}x{header.height:,}"
        raise DataError(f"{name}: {size} pixels are more than {MAX_PIXELS:,}; shrink or cut the image")
    if (3 + header.cost) * header.width * header.height > MAX_DECODING:
        size = f"{header.width:,}x{header.height:,}"
        raise DataError(
            f"{name}: {size} pixels of this kind take over {MAX_DECODING >> 20} MiB; shrink the image"
        )


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
