"""The size of an image from its header, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from yolo_cli.errors import DataError
from yolo_cli.headers import Header, read_header
from yolo_cli.images import check_pixels, read_image
from yolo_cli.limits import open_file

__all__ = ["HEAD_BYTES", "ImageHeader", "image_header", "read_head"]

HEAD_BYTES = 1 << 16
"""Bytes that are read first: enough for the header of nearly every image."""

_ORIENTATION_FIRST = frozenset({"JPEG", "BMP", "GIF", "PNM"})  # PNG and WebP may have EXIF at the end


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """An image's stored size and orientation.

    Attributes:
        width: in pixels, as stored.
        height: in pixels, as stored.
        orientation: EXIF orientation, 1 (upright) to 8; 5 to 8 are on their side, 2, 4, 5 and 7 are mirrored.
    """

    width: int
    height: int
    orientation: int = 1

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width in pixels after rotation, as returned by :func:`read_image`."""
        stored = (self.height, self.width)
        return stored if self.orientation < 5 else stored[::-1]


def image_header(path: Path) -> ImageHeader:
    """Size and orientation of an image file, cached until the file's time or length changes.

    Raises:
        DataError: if the file is missing, not an image, or too large to decode. Truncation after the header
            is not detected.
    """
    try:
        stat = path.stat()
    except OSError as fault:
        raise DataError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    return _image_header(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1 << 18)
def _image_header(path: Path, _time: int, _length: int) -> ImageHeader:
    """The header, cached by path, time and length."""
    header = _header(path)
    if header.kind == "TIFF":  # the decoder applies its orientation
        image = read_image(path)
        return ImageHeader(image.width, image.height)
    check_pixels(header, str(path))
    return ImageHeader(header.width, header.height, header.orientation)


def _header(path: Path) -> Header:
    """The header from the first 64 KiB, or from all of the file if it is longer."""
    head, length = read_head(path, HEAD_BYTES)
    try:
        header = read_header(head, str(path))
    except DataError:
        if length <= len(head):
            raise
    else:
        if length <= len(head) or header.kind in _ORIENTATION_FIRST:
            return header
    return read_header(read_head(path, length)[0], str(path))


def read_head(path: Path, count: int) -> tuple[bytes, int]:
    """The first ``count`` bytes of a file, and its length in bytes.

    Raises:
        DataError: if the file cannot be read.
    """
    try:
        with open_file(path, str(path), kind="image") as file:
            head = file.read(count)
            return head, file.seek(0, 2)
    except OSError as fault:
        raise DataError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
