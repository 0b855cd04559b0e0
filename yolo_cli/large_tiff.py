"""TIFF files of more pixels than are decoded at once, strip by strip or tile by tile.

Each part becomes a small TIFF file, which the decoder of any image reads; the pixels of all go into a
temporary file, so that the system can take their memory back.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.limits import MAX_ANY, MAX_LARGE_PIXELS, MAX_PIXELS, MAX_RATIO, open_file
from yolo_cli.tiff import Directory, read_directory

__all__ = ["read_large_tiff", "release_pixels"]

_KEPT = (258, 259, 262, 266, 277, 284, 317, 320, 338, 339, 347, 530, 531)  # tags of how pixels are stored
_TYPES = {"B": 7, "H": 3, "I": 4}
_PIECE = 1 << 22  # pixels of a part without compression, which can be cut anywhere

Decode = Callable[[bytes, str], NDArray[np.uint8]]
Part = tuple[int, int, bytes]


def read_large_tiff(path: Path, name: str, decode: Decode) -> NDArray[np.uint8] | None:
    """The pixels of a large TIFF file, (height, width, 3), mapped from a temporary file.

    Args:
        path: the file.
        name: its name in messages.
        decode: the pixels (h, w, 3) of the bytes of a small TIFF file, whose name is the second argument.

    Returns:
        None if it is not a TIFF file, or has no more pixels than others may have.

    Raises:
        DataError: if it is damaged, of a kind that cannot be read in parts, or far too large.
    """
    directory = _directory(path, name)
    if directory is None or directory.size[0] * directory.size[1] <= MAX_PIXELS:
        return None
    try:
        _check(directory, name)
        return _assembled(directory, name, decode)
    except (ValueError, struct.error):
        raise DataError(f"{name}: the TIFF file is damaged or cut off; save or download it again") from None


def _directory(path: Path, name: str) -> Directory | None:
    """The first directory of a TIFF file; None if it has none, which other readers say better."""
    with suppress(OSError, ValueError, struct.error, DataError), open_file(path, name, MAX_ANY) as file:
        return read_directory(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return None


def _assembled(directory: Directory, name: str, decode: Decode) -> NDArray[np.uint8]:
    import tempfile  # rarely needed, and slow to import

    height, width = directory.size
    with tempfile.TemporaryFile(prefix="yolo-cli-") as file:
        file.truncate(3 * height * width)
        rgb = np.ndarray((height, width, 3), np.uint8, buffer=_Pixels(file.fileno(), 0))
    for top, left, data in _parts(directory):
        part = decode(data, f"{name} (from row {top}, column {left})")
        rgb[top : top + len(part), left : left + part.shape[1]] = part[: height - top, : width - left]
        release_pixels(rgb)
    return rgb


class _Pixels(mmap.mmap):
    """The pixels of an image in a temporary file: what is not in memory is there."""


def release_pixels(rgb: NDArray[np.uint8]) -> None:
    """Let the process's memory go that an image of `read_large_tiff` takes; it is read again where needed."""
    base: Any = rgb
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, _Pixels) and hasattr(base, "madvise"):
        base.madvise(mmap.MADV_DONTNEED)


def _check(directory: Directory, name: str) -> None:
    """Raise a DataError for what cannot be read in parts."""
    import shutil  # as `_assembled`
    import tempfile

    height, width = directory.size
    rows, columns = directory.part_size
    if height * width > MAX_LARGE_PIXELS:
        raise DataError(
            f"{name}: {width:,}x{height:,} pixels are more than {MAX_LARGE_PIXELS:,}; cut the image"
        )
    if 3 * height * width > MAX_RATIO * len(directory.data):
        raise DataError(f"{name}: {width:,}x{height:,} pixels cannot be in {len(directory.data):,} bytes")
    if directory.first(284, 1) != 1 or directory.first(274, 1) != 1:
        raise DataError(f"{name}: so large a TIFF file must be upright, its colours in one plane; save it so")
    if rows * columns > MAX_PIXELS and directory.first(259, 1) != 1:
        raise DataError(
            f"{name}: {width:,}x{height:,} pixels in one piece are too many; save it in strips or tiles"
        )
    if shutil.disk_usage(tempfile.gettempdir()).free < 4 * height * width:
        raise DataError(
            f"{name}: needs {3 * height * width >> 20:,} MiB in {tempfile.gettempdir()}; set TMPDIR"
        )


def _parts(directory: Directory) -> Iterator[Part]:
    """Top and left edge of each part, and it as a TIFF file.

    Raises:
        ValueError, struct.error: if one is not in the file.
    """
    tiled = 322 in directory.tags
    places, lengths = (324, 325) if tiled else (273, 279)
    (height, width), (rows, columns) = directory.size, directory.part_size
    across = -(-width // columns)
    for number, (at, length) in enumerate(
        zip(directory.numbers(places), directory.numbers(lengths), strict=True)
    ):
        top, left = number // across * rows, number % across * columns
        tall = rows if tiled else min(rows, height - top)
        content = directory.data[at : at + length]
        if len(content) < max(length, 1) or number >= directory.parts:
            raise ValueError("it is cut off")
        yield from _pieces(directory, (tall, columns), content, top, left)
    if number + 1 != directory.parts:
        raise ValueError("parts are missing")


def _pieces(
    directory: Directory, size: tuple[int, int], content: bytes, top: int, left: int
) -> Iterator[Part]:
    """A part, or if its rows are not compressed, some of them at a time."""
    rows, columns = size
    if directory.first(259, 1) != 1:
        yield top, left, _small_tiff(directory, rows, columns, content)
        return
    row = -(-columns * directory.bits // 8)  # bytes
    step = max(1, _PIECE // columns)
    for first in range(0, rows, step):
        some = content[first * row : (first + step) * row]
        yield top + first, left, _small_tiff(directory, min(step, rows - first), columns, some)


def _small_tiff(directory: Directory, rows: int, columns: int, content: bytes) -> bytes:
    """A TIFF file of one strip."""
    order = "<" if directory.data[:2] == b"II" else ">"
    tags: dict[int, tuple[str, tuple[int, ...]]] = {
        tag: (directory.tags[tag][0][1], directory.numbers(tag)) for tag in _KEPT if tag in directory.tags
    }
    for tag, number in ((256, columns), (257, rows), (273, 8), (278, rows), (279, len(content))):
        tags[tag] = "I", (number,)
    data, entries = bytearray(8) + content + bytes(len(content) % 2), bytearray()
    for tag, (form, numbers) in sorted(tags.items()):
        packed: Any = struct.pack(f"{order}{len(numbers)}{form}", *numbers)
        if len(packed) > 4:
            place = struct.pack(f"{order}I", len(data))
            data += packed + bytes(len(packed) % 2)
            packed = place
        entries += struct.pack(f"{order}HHI", tag, _TYPES[form], len(numbers)) + packed.ljust(4, b"\0")
    struct.pack_into(f"{order}2sHI", data, 0, directory.data[:2], 42, len(data))
    return bytes(data) + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
