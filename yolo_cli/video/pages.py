"""Image files with several pages or frames: multi-page TIFF, animated GIF and WebP."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from yolo_cli.errors import DataError, unreadable
from yolo_cli.headers import read_header
from yolo_cli.images import FramePosition, Image, check_pixels, decode_image, over_white
from yolo_cli.limits import MAX_IMAGE, open_file, read_file
from yolo_cli.video.reading import Frame, FrameChoice

__all__ = ["Pages", "has_pages", "page_frames", "pages_of"]

_PAGE_S = 1.0  # a page of a TIFF has no time
_SHORTEST_MS, _USUAL_MS = 11, 100  # browsers show a frame of at most 10 ms for 100
_SUBFILE_TAG, _REDUCED_OR_MASK = 254, 1 | 4
_Data = Any  # bytes, or a mapped file


def has_pages(path: str) -> bool:
    """Whether a file is a TIFF of several pages or an animated GIF or WebP; of others only the name is read.

    Reduced copies and masks that a TIFF holds of its image are not pages.
    """
    counted = _COUNTED.get(Path(path).suffix.lower())
    if not counted:
        return False
    with (
        suppress(OSError, ValueError, IndexError, DataError),
        open_file(Path(path), path) as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        return counted(data)
    return False


def page_frames(path: str, choice: FrameChoice) -> Iterator[Frame]:
    """Decode one page after the other; one that is damaged is a `Frame` with its fault, as is the last.

    Pages are numbered from 0. Those of a TIFF are a second apart.

    Raises:
        DataError: if the file cannot be read.
    """
    try:
        data = read_file(Path(path), path, MAX_IMAGE, "image")
    except (OSError, ValueError) as fault:
        raise unreadable(path, fault) from fault
    return Pages(path, data).frames(choice)


@dataclass(frozen=True, slots=True)
class Pages:
    """An image file of several pages or frames.

    Attributes:
        name: its path or address.
        data: its bytes.
    """

    name: str
    data: bytes

    def frames(self, choice: FrameChoice) -> Iterator[Frame]:
        """As `page_frames`."""
        is_tiff = self.data[:2] in (b"II", b"MM")
        frames = _tiff_frames(self.name, self.data) if is_tiff else _animation(self.name, self.data)
        return choice.or_fault(choice.of(frames), self.name)


def pages_of(data: bytes, name: str) -> Pages | None:
    """The pages of a file that is in memory, known by its bytes; None if it has none or one."""
    with suppress(ValueError, IndexError):
        if any(counted(data) for counted in _COUNTED.values()):
            return Pages(name, data)
    return None


def _is_animated_webp(data: _Data) -> bool:
    return data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X" and bool(data[20] & 2)


def _is_animated_gif(data: _Data) -> bool:
    """Walk the blocks to the second image."""
    images = 0
    at = 13 + _table_bytes(data[10])
    while data[:3] == b"GIF" and at + 10 < len(data):
        if data[at] == 0x2C:
            images += 1
            at += 11 + _table_bytes(data[at + 9])
        elif data[at] == 0x21:
            at += 2
        else:
            break
        if images == 2:
            return True
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
    return False


def _table_bytes(flags: int) -> int:
    """Bytes of a colour table."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _has_two_directories(data: _Data) -> bool:
    pages = _tiff_pages(data)
    return next(pages, None) is not None and next(pages, None) is not None


_COUNTED = {
    ".tif": _has_two_directories,
    ".tiff": _has_two_directories,
    ".gif": _is_animated_gif,
    ".webp": _is_animated_webp,
}


def _tiff_pages(data: _Data) -> Iterator[int]:
    """Where the directory of each page is; it ends where the file is damaged, or leads back."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))
    at = struct.unpack_from(f"{order}I", data, 4)[0] if order and len(data) >= 8 else 0
    seen: set[int] = set()
    with suppress(struct.error):
        while at and at not in seen:
            seen.add(at)
            count = struct.unpack_from(f"{order}H", data, at)[0]
            entries = (struct.unpack_from(f"{order}HHII", data, at + 2 + 12 * n) for n in range(count))
            kind = next((value for tag, _, _, value in entries if tag == _SUBFILE_TAG), 0)
            following = struct.unpack_from(f"{order}I", data, at + 2 + 12 * count)[0]
            if not kind & _REDUCED_OR_MASK:
                yield at
            at = following


def _tiff_frames(path: str, data: bytes) -> Iterator[Frame]:
    """Each page becomes the first, so that it is read as any image is."""
    order = "<" if data[:2] == b"II" else ">"
    for number, at in enumerate(_tiff_pages(data)):
        start, name = perf_counter(), f"{path}#{number}"
        try:
            rgb = decode_image(data[:4] + struct.pack(f"{order}I", at) + data[8:], name).rgb
        except DataError as fault:
            yield Frame(name, fault=fault.text)
            continue
        place = FramePosition(path, number, number * _PAGE_S, 1 / _PAGE_S)
        yield Frame(name, Image(rgb, name, place), decode_ms=(perf_counter() - start) * 1000)


def _animation(path: str, data: bytes) -> Iterator[Frame]:
    """Frames of a GIF or WebP by Pillow, which keeps only the present one; OpenCV would give all at once."""
    from io import BytesIO

    from PIL import Image as Pillow

    check_pixels(read_header(data, path), path)
    number, time_ms = 0, 0.0
    try:
        with Pillow.open(BytesIO(data)) as file:
            count = getattr(file, "n_frames", 1)
            for number in range(count):
                start, name = perf_counter(), f"{path}#{number}"
                file.seek(number)
                rgb = over_white(np.asarray(file.convert("RGBA")))
                lasts_ms = float(file.info.get("duration", 0))
                lasts_ms = lasts_ms if lasts_ms >= _SHORTEST_MS else _USUAL_MS
                place = FramePosition(path, number, time_ms / 1000, 1000 / lasts_ms)
                yield Frame(name, Image(rgb, name, place), decode_ms=(perf_counter() - start) * 1000)
                time_ms += lasts_ms
    except (OSError, EOFError, SyntaxError, ValueError) as fault:
        raise DataError(f"{path}: is cut off or damaged at frame {number}; save it again") from fault
