"""A stream of bytes → the JPEG images in it, one after the other, however they are joined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from yolo_cli.errors import DataError

__all__ = ["MAX_JPEG_BYTES", "split_jpegs"]

MAX_JPEG_BYTES = 1 << 26
_START = b"\xff\xd8\xff"
# Segments after which a length follows; FF within a scan is followed by 00, a restart marker, or FF.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_START_KIND, _END_KIND, _BARE_KIND = 0xD8, 0xD9, 0x01


def split_jpegs(pieces: Iterable[bytes], title: str, *, cut: bool = True) -> Iterator[bytes]:
    """Give each JPEG image as soon as its last byte is there; what is between them is skipped.

    That is all that a camera's multipart stream needs, and it holds where the lengths in its headers are
    wrong. An image within an image, such as an Exif thumbnail, is part of it. One that another one cuts off
    is given as far as it came.

    Args:
        pieces: the bytes, in pieces of any size.
        title: the stream's name in messages.
        cut: give an image that the end of the stream cuts off, too.

    Raises:
        DataError: if an image has more than 64 MB.
    """
    splitter = _Splitter()
    for piece in pieces:
        yield from splitter.add(piece)
        if len(splitter.data) > MAX_JPEG_BYTES:
            raise DataError(f"{title}: holds an image of over {MAX_JPEG_BYTES >> 20} MB")
    if splitter.at and cut:
        yield bytes(splitter.data)


class _Splitter:
    """What has come and not been given yet.

    Attributes:
        data: from the start of an image on, if ``at`` is not 0.
        at: up to where the image has been looked through.
    """

    def __init__(self) -> None:
        self.data, self.at = bytearray(), 0

    def add(self, piece: bytes) -> Iterator[bytes]:
        """The images that a piece completes."""
        self.data += piece
        while self.at or self._begins():
            end = self._end()
            if end < 0:
                return
            yield bytes(self.data[:end])
            del self.data[:end]
            self.at = 0

    def _begins(self) -> bool:
        """Drop what is before the next image; whether there is one."""
        start = self.data.find(_START)
        del self.data[: start if start >= 0 else max(len(self.data) - len(_START) + 1, 0)]
        self.at = 2 if start >= 0 else 0
        return start >= 0

    def _end(self) -> int:
        """Where the image ends; -1 if that is not there yet."""
        data = self.data
        while found := _MARKER.search(data, self.at):
            self.at, kind = found.start(), data[found.start() + 1]
            if kind in (_END_KIND, _START_KIND):  # with another start, it was cut off
                return self.at + (2 if kind == _END_KIND else 0)
            length = 0 if kind == _BARE_KIND else int.from_bytes(data[self.at + 2 : self.at + 4], "big")
            known = kind == _BARE_KIND or len(data) >= self.at + 4
            if not known or self.at + 2 + length > len(data):
                return -1
            self.at += 2 + length
        self.at = max(self.at, len(data) - 1)
        return -1
