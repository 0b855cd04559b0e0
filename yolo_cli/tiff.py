"""The first directory of a TIFF file, or of an EXIF block, which has the same form (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import mmap

__all__ = ["Directory", "read_directory"]

_FORMS = {1: "B", 3: "H", 4: "I", 7: "B"}  # of the types of whole numbers, and of bytes
MAX_NUMBERS = 1_000_000  # of one tag


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of a directory that are whole numbers; of equal ones the first, as libtiff takes it.

    Attributes:
        tags: number format, how many, and where they are, by tag.
        data: the file.
    """

    tags: Mapping[int, tuple[str, int, int]]
    data: bytes | mmap

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The numbers of a tag; () if it is absent.

        Raises:
            ValueError: if they are too many.
            struct.error: if they are outside the file.
        """
        form, count, at = self.tags.get(tag, ("<B", 0, 0))
        if count > MAX_NUMBERS:
            raise ValueError("too many numbers")
        return struct.unpack_from(f"{form[0]}{count}{form[1]}", self.data, at)

    def first(self, tag: int, default: int) -> int:
        """The first number of a tag."""
        form, count, at = self.tags.get(tag, ("", 0, 0))
        return int(struct.unpack_from(form, self.data, at)[0]) if count else default

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.first(257, 0), self.first(256, 0)

    @property
    def part_size(self) -> tuple[int, int]:
        """Height and width of a tile, or of a strip."""
        height, width = self.size
        if 322 in self.tags:
            return self.first(323, 0), self.first(322, 0)
        return min(self.first(278, height), height), width

    @property
    def bits(self) -> int:
        """Of a pixel in one part: of all samples, unless each has parts of its own."""
        apart = self.first(284, 1) == 2
        return self.first(258, 1) * (1 if apart else self.first(277, 1))

    @property
    def parts(self) -> int:
        """The number of strips or tiles.

        Raises:
            ValueError: if they have no size.
        """
        (height, width), (rows, columns) = self.size, self.part_size
        if min(rows, columns) < 1:
            raise ValueError("a strip has no pixels")
        planes = self.first(277, 1) if self.first(284, 1) == 2 else 1
        return planes * -(-height // rows) * -(-width // columns)

    def part_bytes(self, number: int) -> int:
        """Bytes of a strip or tile without compression."""
        height, _ = self.size
        rows, columns = self.part_size
        if 322 not in self.tags:  # the last strip has the rows that are left
            strips = -(-height // rows)
            rows = min(rows, height - number % strips * rows)
        halved = 2 if self.first(262, 1) == 6 else 1  # YCbCr has the colours of four pixels in one
        return -(-columns * self.bits // 8) * rows // halved


def read_directory(data: bytes | mmap) -> Directory:
    """The first directory of a TIFF file.

    Raises:
        ValueError: if there is no byte order at its beginning.
        struct.error: if it is cut short.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise ValueError("no byte order")
    at = struct.unpack_from(order + "I", data, 4)[0]
    count = struct.unpack_from(order + "H", data, at)[0]
    tags: dict[int, tuple[str, int, int]] = {}
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", data, entry)
        form = _FORMS.get(kind)
        if form and number:
            inside = number * struct.calcsize(form) <= 4
            place = entry + 8 if inside else struct.unpack_from(order + "I", data, entry + 8)[0]
            tags.setdefault(tag, (order + form, number, place))
    return Directory(tags, data)
